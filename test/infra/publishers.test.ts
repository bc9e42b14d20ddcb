import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { peopleWhoPublish } from '../../infra/publishers.ts';

const infra = join(import.meta.dirname, '../../infra');
const HOLDERS = [
  'ServicePrincipal\t00000000-0000-4000-8000-0000000000e1\tpolicy pipeline',
  'User\t00000000-0000-4000-8000-0000000000e2\tAda',
  'Group\t00000000-0000-4000-8000-0000000000e3\tplatform team',
];

test('a person and a group that may publish are warned of, and a pipeline is not', () => {
  const warnings = peopleWhoPublish(`${HOLDERS.join('\r\n')}\n`);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? '', /^the person Ada \(00000000-.*e2\) may put a policy in force/);
  assert.match(warnings[1] ?? '', /^the members of the group platform team \(/);
  assert.deepEqual(peopleWhoPublish('\n'), []);
});

test('the check warns of people who may publish and does not fail for them', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(infra, 'check.ts'), '--allow-placeholders', '--publishers', '-'],
    { encoding: 'utf8', input: HOLDERS.join('\n') },
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^warning: the person Ada /m);
  assert.doesNotMatch(stderr, /policy pipeline/);
});

test('every page of those who hold the role is read, and of them only those of this role', () => {
  const folder = mkdtempSync(join(tmpdir(), 'publishers-'));
  try {
    const az = join(folder, 'az');
    writeFileSync(
      az,
      `#!/usr/bin/env bash
case "$*" in
  *"cloud show"*) echo https://graph.example/ ;;
  *"sp list"*) echo principal-1 ;;
  *"sp show"*) echo role-6 ;;
  *"page=2"*nextLink*) echo None ;;
  *nextLink*) echo "https://graph.example/v1.0/servicePrincipals/principal-1/appRoleAssignedTo?page=2" ;;
  *"page=2"*"appRoleId=='role-6'"*) printf 'User\\tid-2\\tAda\\n' ;;
  *"servicePrincipals/principal-1/appRoleAssignedTo?\\$top=999"*"appRoleId=='role-6'"*) printf 'ServicePrincipal\\tid-1\\tpipeline\\n' ;;
  *) echo "not expected: $*" >&2; exit 1 ;;
esac
`,
    );
    chmodSync(az, 0o755);
    const { stdout, stderr } = spawnSync(join(infra, 'app-registration.sh'), ['publishers', 'client-1'], {
      encoding: 'utf8',
      env: { PATH: `${folder}${delimiter}${process.env['PATH']}` },
    });
    assert.equal(stderr, '');
    assert.equal(stdout, 'ServicePrincipal\tid-1\tpipeline\nUser\tid-2\tAda\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

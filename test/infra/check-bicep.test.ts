/** `npm run check:infra`, with a compiler that says what a test wants. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { infra } from './bicep-syntax.ts';

const folder = mkdtempSync(join(tmpdir(), 'compiler-'));
after(() => rmSync(folder, { recursive: true }));

function check(says: string, exits: number, ...args: string[]) {
  const compiler = `#!/bin/sh\n[ "$1" = --version ] && exit 0\necho '${says}' >&2\nexit ${exits}\n`;
  writeFileSync(join(folder, 'bicep'), compiler, { mode: 0o755 });
  return spawnSync(process.execPath, [join(infra, 'check-bicep.ts'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` },
  });
}

test('a warning of the compiler stops the pipeline and nobody else; an error stops everybody', () => {
  const warned = check('Warning BCP999: new in this version', 0);
  assert.equal(warned.status, 0);
  assert.match(warned.stderr, /BCP999/, 'and is shown');
  assert.equal(check('Warning BCP999: new in this version', 0, '--required').status, 1);
  assert.equal(check('Error BCP018: expected', 1).status, 1);
  assert.equal(check('', 0, '--required').status, 0);
});

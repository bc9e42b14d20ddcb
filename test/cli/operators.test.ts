import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createTables } from '../../src/azure/tables.ts';
import { type LocalMode, localToken } from '../../src/cli/local-mode.ts';
import { SHAPES } from '../../src/cli/schemas.ts';
import { compact, versionOf } from '../../src/policy/version.ts';
import { startLocal } from '../local/local-mode.ts';
import { type Ran, run, start } from './command.ts';

let local: Awaited<ReturnType<typeof startLocal>>;
let folder: string;
let draft: string;
let changed: string;
let first: string;
let refused: string;
before(async () => {
  local = await startLocal();
  folder = mkdtempSync(join(tmpdir(), 'broker-command-'));
  draft = join(folder, 'draft.json');
  const inForce = JSON.parse(await policyInForce()) as { grants: { rate?: object }[] };
  writeFileSync(draft, JSON.stringify(inForce));
  first = versionOf(compact(inForce)).slice(0, 12);
  changed = join(folder, 'changed.json');
  const [grant] = inForce.grants;
  assert.ok(grant);
  grant.rate = { count: 7, per: '1m' };
  writeFileSync(changed, JSON.stringify(inForce));
  const { apps } = local.description as unknown as { apps: { rotator: string[] } };
  await tick(apps.rotator[0] ?? assert.fail());
  await here('token', 'speech', '--as', 'captions');
  const { err } = await here('token', 'chat', '--as', 'captions');
  refused = /correlation id ([0-9a-f]{32})/.exec(err)?.[1] ?? assert.fail(err);
});
/** Minutes with what was done so far are closed, and counted. */
async function close(rotator: string): Promise<void> {
  await clock({ advanceSeconds: 600 });
  const json = { 'content-type': 'application/json' };
  await fetch(`${rotator}/admin/functions/close`, { method: 'POST', headers: json, body: '{"input":""}' });
  while (JSON.parse((await here('usage', '--json')).out).items.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
}
after(async () => {
  await local[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function clock(change: { readonly speed: number } | { readonly advanceSeconds: number }) {
  const { control } = local.description;
  assert.ok((await fetch(`${control}/clock`, { method: 'POST', body: JSON.stringify(change) })).ok);
}

/** A look of the rotator app, for which its timer would let wait five minutes. */
async function tick(rotator: string): Promise<void> {
  const asked = await fetch(`${rotator}/admin/functions/rotate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  });
  assert.equal(asked.status, 202);
  while (!/^Key1 /m.test((await here('status', 'speech')).out))
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/** As the broker of the local mode has it, in a file beside the certificate authority's. */
async function policyInForce(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(join(local.description.ca, '..', 'policy.json'), 'utf8');
}
const here = (...args: string[]): Promise<Ran> => run([...args, '--broker', local.description.broker]);

/** As at a deployment: nothing on this machine tells of it, and who one is comes from the environment. */
function away(name: Case['who']): (...args: string[]) => Promise<Ran> {
  return (...args) => run(args, { ...awayAs(name), AZURE_AI_TOKEN_BROKER: local.description.broker });
}
function awayAs(name: Case['who']): Readonly<Record<string, string>> {
  const { entra, callers, ca } = local.description;
  const who = callers.find((each) => each.name === name) ?? assert.fail();
  return {
    TMPDIR: folder,
    AZURE_AI_TOKEN_BROKER_SCOPE: entra.scope,
    AZURE_AUTHORITY_HOST: entra.authority,
    AZURE_TENANT_ID: who.tenantId,
    AZURE_CLIENT_ID: who.clientId,
    AZURE_CLIENT_SECRET: who.clientSecret ?? '',
    NODE_EXTRA_CA_CERTS: ca,
  };
}
const auditorToken = () => localToken(local.description as unknown as LocalMode, 'auditor');
const captions = () => local.description.callers.find(({ name }) => name === 'captions') ?? assert.fail();

interface Case {
  readonly args: () => readonly string[];
  readonly who: 'operator' | 'auditor' | 'publisher';
  readonly code?: number;
  readonly says: RegExp;
}
const cases: Readonly<Record<string, Case>> = {
  status: { args: () => ['status'], who: 'auditor', says: /^ACCOUNT +STATE +[\s\S]*^speech +\S/m },
  'one account': { args: () => ['status', 'speech'], who: 'auditor', says: /^Key1 +\w+ +[0-9a-f]{16} /m },
  'no such account': { args: () => ['status', 'nope'], who: 'auditor', code: 1, says: /no such account/ },
  pause: {
    args: () => ['pause', 'speech', '--reason', 'a test'],
    who: 'operator',
    says: /^speech is paused/,
  },
  resume: {
    args: () => ['resume', 'speech', '--reason', 'a test'],
    who: 'operator',
    says: /not paused any more/,
  },
  rotate: {
    args: () => ['rotate', 'translator', '--reason', 'a test', '--no-wait'],
    who: 'operator',
    says: /a rotation is asked for/,
  },
  'pause all': {
    args: () => ['pause', '--all', '--reason', 'a test'],
    who: 'operator',
    says: /^chat is paused[\s\S]*^translator is paused/m,
  },
  'resume all': {
    args: () => ['resume', '--all', '--reason', 'a test'],
    who: 'operator',
    says: /^translator is not paused any more/m,
  },
  'pause nothing': {
    args: () => ['pause', '--reason', 'a test'],
    who: 'operator',
    code: 2,
    says: /not said which account/,
  },
  'no reason': { args: () => ['rotate', 'speech'], who: 'operator', code: 2, says: /--reason/ },
  revoke: {
    args: () => ['revoke', '--client', captions().clientId, '--block', '--reason', 'a test'],
    who: 'operator',
    says: /is revoked, in force on every instance after \d+ ms/,
  },
  revocations: {
    args: () => ['revocations', '--blocked'],
    who: 'auditor',
    says: /^WHEN[\s\S]* blocked +client /,
  },
  lift: {
    args: () => ['lift', '--client', captions().clientId, '--reason', 'a test'],
    who: 'operator',
    says: /is not blocked any more/,
  },
  'a name': {
    args: () => ['revoke', '--user', 'ada@example.test', '--reason', 'a test'],
    who: 'operator',
    code: 2,
    says: /Nothing was done[\s\S]*object id/,
  },
  'a grant that is none': {
    args: () => ['revoke', '--grant', 'nope', '--reason', 'a test'],
    who: 'operator',
    code: 1,
    says: /no grant nope/,
  },
  'two scopes': {
    args: () => ['revoke', '--grant', 'captions', '--resource', 'speech', '--reason', 'a test'],
    who: 'operator',
    code: 2,
    says: /do not go together/,
  },
  operations: { args: () => ['operation'], who: 'auditor', says: /^WHEN[\s\S]* succeeded +lift client/ },
  'explain what was long ago': {
    args: () => ['explain', refused, '--at', '2h'],
    who: 'auditor',
    code: 1,
    says: /no such record/,
  },
  explain: { args: () => ['explain', refused], who: 'auditor', says: /^outcome +refused/m },
  'explain a caller': {
    args: () => ['explain', '--caller', captions().objectId, '--resource', 'chat'],
    who: 'auditor',
    says: /^grant nightly does not apply$/m,
  },
  'what-if': { args: () => ['what-if', draft], who: 'auditor', says: /requests from/ },
  audit: { args: () => ['audit', '--from', '1d'], who: 'auditor', says: /granted +\S+ +speech \(sts\)/ },
  events: { args: () => ['events'], who: 'auditor', says: /effect/ },
  advise: {
    args: () => ['advise', '--policy', draft],
    who: 'auditor',
    says: /Grants that nobody used[\s\S]*nightly/,
  },
  'policy check': { args: () => ['policy', 'check', draft], who: 'auditor', says: /a valid policy/ },
  'policy check against the broker': {
    args: () => ['policy', 'check', draft, '--against', local.description.broker],
    who: 'auditor',
    says: /requests from[\s\S]*a valid policy/,
  },
  'policy diff': {
    args: () => ['policy', 'diff', changed],
    who: 'auditor',
    says: /rate\.count was \d+ and is 7/,
  },
  'policy diff as a comment': {
    args: () => ['policy', 'diff', changed, '--markdown'],
    who: 'auditor',
    says: /^- `the grant [\w-]+: rate\.count was/m,
  },
  'policy apply': {
    args: () => ['policy', 'apply', changed, '--reason', 'a test', '--commit', 'abc123'],
    who: 'publisher',
    says: /is in force on every instance/,
  },
  'policy versions': { args: () => ['policy', 'versions'], who: 'auditor', says: /^VERSION[\s\S]*applied +/ },
  'policy rollback': {
    args: () => ['policy', 'rollback', first, '--reason', 'a test'],
    who: 'operator',
    says: /is in force on every instance/,
  },
  'policy rollback to what never was': {
    args: () => ['policy', 'rollback', '000000000000', '--reason', 'a test'],
    who: 'operator',
    code: 1,
    says: /ever in force/,
  },
  doctor: { args: () => ['doctor'], who: 'auditor', says: /^ok {2}broker[\s\S]*^ok {2}accounts +\d/m },
  leak: { args: () => ['leak', draft], who: 'auditor', says: /No key of an account/ },
};

for (const [place, shape] of [
  ['against the local mode', false],
  ["against a deployment's shape", true],
] as const)
  describe(place, () => {
    for (const [name, { args, who, code = 0, says }] of Object.entries(cases))
      test(name, async (context) => {
        const ran = await (shape ? away(who) : here)(...args());
        assert.equal(ran.code, code, `${ran.out}\n${ran.err}`);
        assert.match(code === 0 ? ran.out : ran.err, says);
        if (code !== 0) assert.equal(ran.out, '', 'nothing but data on stdout');
        context.diagnostic(`${code} | ${(ran.out || ran.err).split('\n')[0]?.slice(0, 80)}`);
      });
  });

test('every --json output is of the published schema of its command', async () => {
  const checked = new Set<string>();
  for (const { args, code = 0 } of Object.values(cases)) {
    if (code !== 0) continue;
    const typed = args();
    const two = `${typed[0]} ${typed[1]}`;
    const name = two in SHAPES ? two : (typed[0] ?? '');
    if (typed.includes('--markdown')) continue;
    const ran = await here(...typed, '--json');
    assert.equal(ran.code, 0, ran.err);
    const read = SHAPES[name]?.safeParse(JSON.parse(ran.out)) ?? assert.fail(name);
    assert.ok(read.success, `${name}: ${read.error?.message}`);
    checked.add(name);
  }
  const { out } = await here('rotate', 'chat', '--reason', 'a test', '--no-wait', '--json');
  const followed = await here('operation', JSON.parse(out).operation, '--json');
  assert.ok(SHAPES['operation']?.safeParse(JSON.parse(followed.out)).success, followed.out);
  for (const name of ['operation', 'audit verify', 'usage', 'token', 'proxy', 'whoami']) checked.add(name);
  assert.deepEqual([...checked].sort(), Object.keys(SHAPES).sort(), 'the last three are in tokens.test.ts');
});

const ofTheRecord: Readonly<Record<string, Case>> = {
  'audit verify': {
    args: () => ['audit', 'verify', '--from', '1d'],
    who: 'auditor',
    says: /^Nothing was changed\.\n.* by what the broker answers: \d+ closed minutes, [1-9]\d* rows/,
  },
  usage: {
    args: () => ['usage', '--resource', 'speech'],
    who: 'auditor',
    says: /^RESOURCE +CALLER +OUTCOME +COUNT +LAST\nspeech +\S+ +granted +\d+ /,
  },
  'usage by the day': {
    args: () => ['usage', '--by', 'grant,reason', '--per', 'day', '--caller', captions().objectId],
    who: 'auditor',
    says: /grant_missing/,
  },
};

test('what is closed is verified and counted, against both places, and --json is of the published schemas', async () => {
  const { apps } = local.description as unknown as { apps: { rotator: string[] } };
  await close(apps.rotator[0] ?? assert.fail());
  for (const [name, { args, who, says }] of Object.entries(ofTheRecord)) {
    for (const ask of [here, away(who)]) {
      const ran = await ask(...args());
      assert.equal(ran.code, 0, `${name}: ${ran.out}\n${ran.err}`);
      assert.match(ran.out, says);
    }
    const json = await here(...args(), '--json');
    const shape = SHAPES[name === 'audit verify' ? name : 'usage'];
    const read = shape?.safeParse(JSON.parse(json.out));
    assert.ok(read?.success, `${name}: ${read?.error?.message}`);
  }
});

test('audit verify finds in the storage itself what a broker that lies does not tell', async () => {
  const storage = await here('audit', 'verify', '--storage', '--json');
  assert.equal(storage.code, 0, storage.err);
  const { findings, rows, hash, closedThrough, source } = JSON.parse(storage.out);
  assert.deepEqual([findings, source], [[], 'storage']);
  assert.ok(rows > 0);
  const known = await here('audit', 'verify', '--storage', '--known', hash);
  assert.equal(known.code, 0, known.err);
  assert.equal((await here('audit', 'verify', '--storage', '--known', '0'.repeat(64))).code, 1);

  // What is asked is answered as it was before, whatever happens to the rows from now on.
  const { broker, tables } = local.description as unknown as { broker: string; tables: string };
  const to = new Date(Date.parse(`${closedThrough}:00Z`) + 60_000).toISOString();
  const asked = `/operator/audit/export?from=${encodeURIComponent(new Date(Date.parse(to) - 86_400_000).toISOString())}&to=${encodeURIComponent(to)}`;
  const told = await fetch(`${broker}${asked}`, {
    headers: { authorization: `Bearer ${await auditorToken()}` },
  });
  const answer = await told.text();
  const liar = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/jsonl' });
    response.end(answer);
  });
  liar.listen(0, '127.0.0.1');
  await once(liar, 'listening');
  const { port } = liar.address() as AddressInfo;
  try {
    const row = answer
      .split('\n')
      .filter((line) => line.startsWith('{"row"'))
      .map((line) => JSON.parse(line).row.key)[0];
    const table = createTables(tables, { getToken: () => Promise.reject(new Error('not asked for')) });
    const audit = await table('audit');
    await audit.updateEntity(
      { partitionKey: row.slice(0, 19), rowKey: row, resources: ' nothing ' },
      'Merge',
    );
    const span = ['audit', 'verify', '--from', '1d', '--to', to, '--json'];
    const lied = await run([...span, '--broker', `http://127.0.0.1:${port}`], awayAs('auditor'));
    assert.equal(lied.code, 0, lied.err);
    const found = await here(...span, '--storage');
    assert.equal(found.code, 1, found.err);
    assert.deepEqual(JSON.parse(found.out).findings, [
      { kind: 'row_changed', minute: row.slice(0, 16), row },
    ]);
    const read = SHAPES['audit verify']?.safeParse(JSON.parse(found.out));
    assert.ok(read?.success, read?.error?.message);
    assert.match((await here(...span.slice(0, -1))).out, /^One thing was changed\.[\s\S]*row changed +\S/);
  } finally {
    liar.close();
  }
});

test('the storage refuses who has no rights of its own there, and that is told', async () => {
  const ran = await here('audit', 'verify', '--storage', '--as', 'captions');
  assert.equal(ran.code, 4, ran.err);
  assert.match(ran.err, /Storage Table Data Reader/);
  assert.equal((await here('audit', 'verify', '--storage', 'not/an/account')).code, 2);
});

test('rotate follows a rotation to its end and tells what was measured', async () => {
  // A rotation waits for propagation and drains for ten minutes: virtual ones.
  await clock({ speed: 600 });
  const ran = await here('rotate', 'speech', '--slot', 'Key1', '--reason', 'a test', '--json');
  await clock({ speed: 1 });
  assert.equal(ran.code, 0, ran.err);
  const operation = JSON.parse(ran.out);
  assert.equal(operation.state, 'succeeded');
  assert.ok(SHAPES['rotate']?.safeParse(operation).success);
});

test('no right ends with 4, and tells which role is wanted', async () => {
  for (const args of [['status'], ['audit'], ['leak', draft]]) {
    const ran = await here(...args, '--as', 'captions');
    assert.equal(ran.code, 4, ran.err);
    assert.match(ran.err, /Broker\.Auditor/);
    assert.equal(ran.out, '');
  }
  assert.equal((await here('pause', 'speech', '--reason', 'x', '--as', 'auditor')).code, 4);
});

test('an outage ends with 3 and leaves nothing behind', async () => {
  const { control } = local.description;
  await fetch(`${control}/faults/tables`, { method: 'PUT', body: JSON.stringify({ mode: 'down' }) });
  try {
    const ran = await here('audit');
    assert.equal(ran.code, 3, ran.err);
    assert.match(ran.err, /not answering/);
  } finally {
    await fetch(`${control}/faults`, { method: 'DELETE' });
  }
});

test('a broken pipe and Ctrl-C in a wait end the command at once', async () => {
  const piped = start(['audit', '--from', '1d', '--json', '--broker', local.description.broker]);
  piped.child.stdout?.destroy();
  const { code, err } = await piped.ended;
  assert.deepEqual([code, err], [0, '']);
  const waiting = start(['status', '--watch', '--broker', local.description.broker]);
  while (!waiting.out().includes('ACCOUNT')) await new Promise((resolve) => setTimeout(resolve, 20));
  waiting.child.kill('SIGINT');
  assert.equal((await waiting.ended).code, 130);
});

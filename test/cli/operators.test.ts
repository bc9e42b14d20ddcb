import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
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
after(async () => {
  await local[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function clock(change: { readonly speed: number }): Promise<void> {
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
  const { entra, callers, ca, broker } = local.description;
  const who = callers.find((each) => each.name === name) ?? assert.fail();
  const environment = {
    TMPDIR: folder,
    AZURE_AI_TOKEN_BROKER: broker,
    AZURE_AI_TOKEN_BROKER_SCOPE: entra.scope,
    AZURE_AUTHORITY_HOST: entra.authority,
    AZURE_TENANT_ID: who.tenantId,
    AZURE_CLIENT_ID: who.clientId,
    AZURE_CLIENT_SECRET: who.clientSecret ?? '',
    NODE_EXTRA_CA_CERTS: ca,
  };
  return (...args) => run(args, environment);
}
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
    const name = typed[0] === 'policy' ? `policy ${typed[1]}` : (typed[0] ?? '');
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
  for (const name of [...checked, 'operation', 'token', 'proxy', 'whoami']) checked.add(name);
  assert.deepEqual([...checked].sort(), Object.keys(SHAPES).sort(), 'the last three are in tokens.test.ts');
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

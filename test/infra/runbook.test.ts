/**
 * infra/README.md: each task of the runbook has at most three steps, and each block of the page runs as it stands
 * against the local mode, or says in its first line why no test runs it. What such a block would do in Azure is done
 * here by the control service, where that can.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { PROBLEM_CODES, type Problem } from '../../src/rotation/problem.ts';
import type { RotationState } from '../../src/rotation/state.ts';
import { policyHand } from '../flows/policy-hand.ts';
import { NO_TIMER, type RotationHand, rotationOf } from '../flows/rotation-hand.ts';
import { type Stack, startStack } from '../flows/stack.ts';
import { root } from '../local/started.ts';
import { type Block, blocksOf, notTried } from './page.ts';

const page = readFileSync(join(root, 'infra/README.md'), 'utf8');
const blocks = blocksOf(page);
const tried = new Set<Block>();
const under = (task: string, depth = 3): readonly Block[] =>
  blocks.filter(({ headings }) => headings[2] === task && headings.length === depth);
const [signInToAzure, signIn, commands] = under('Before you begin');

let stack: Stack;
let rotation: RotationHand;
/** The folder that `npm start` names. */
let files: string;
const scratch = mkdtempSync(join(tmpdir(), 'runbook-'));
before(async () => {
  stack = await startStack([], NO_TIMER);
  // To a new day, so that none ends between a call and the audit of the day.
  await control('POST', '/clock', { now: `${await dayAfter()}T00:05:00Z` });
  await stack.warm();
  rotation = rotationOf(stack);
  files = dirname(stack.description.ca);
  await rotation.tick();
});
after(async () => {
  await stack[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}
const exported = (variables: Record<string, string>): string =>
  Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');

/** In a shell as "Before you begin" leaves it, with these variables set. */
async function runBlock(block: Block, variables: Record<string, string>, input = ''): Promise<Ran> {
  const script = [
    exported({ FILES: files }),
    signIn?.text,
    commands?.text,
    exported(variables),
    block.text,
  ].join('\n');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: root });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  tried.add(block);
  return { status, out, err };
}
async function attempt(task: string, step: number, variables: Record<string, string> = {}): Promise<Ran> {
  const block = under(task)[step - 1] ?? assert.fail(`${task} has no step ${step}`);
  assert.equal(notTried(block), undefined, `step ${step} of ${task}`);
  return runBlock(block, variables);
}
/** What the step writes to standard output. */
async function run(task: string, step: number, variables: Record<string, string> = {}): Promise<string> {
  const { status, out, err } = await attempt(task, step, variables);
  assert.equal(status, 0, `step ${step} of ${task}:\n${out}\n${err}\n${stack.log().slice(-2000)}`);
  return out;
}

const control = (method: string, path: string, body?: object) => stack.control(method, path, body);
const pass = (advanceSeconds: number) => control('POST', '/clock', { advanceSeconds });
const virtualNow = async (): Promise<number> => Date.parse(String((await control('GET', '/clock'))['now']));
const dayAfter = async () => new Date((await virtualNow()) + 86_400_000).toISOString().slice(0, 10);
async function eventually(isSo: () => unknown): Promise<void> {
  const giveUpAt = performance.now() + 45_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < giveUpAt, stack.log().slice(-3000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const caller = (name: string) =>
  stack.description.callers.find((one) => one.name === name) ?? assert.fail(`no caller ${name}`);
const exchange = async (token: string, target: string) => {
  for (let left = 10; ; left -= 1) {
    const answer = await stack.exchange(token, target);
    if (answer.status !== 503 || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};
const isGranted = async (token: string, target: string) => (await exchange(token, target)).status === 200;
const signedIn = (name: string) => stack.callerToken(name);
/** A cut-off is two minutes ahead. */
const signedInLater = async (name: string) => {
  await pass(150);
  return signedIn(name);
};
const utiOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).uti;

/** The two steps of lifting, for the block of this scope. */
async function lift(scope: string): Promise<void> {
  assert.match(await run('Lift a revocation', 1), new RegExp(` blocked +${scope} `));
  assert.match(await run('Lift a revocation', 2, { SCOPE: scope }), /is not blocked any more/);
}

test('revoke a person, and lift it', async () => {
  const token = await signedIn('ada');
  assert.ok(await isGranted(token, 'chat'));
  assert.match(
    await run('Revoke a person', 1),
    /in force on every instance after [\s\S]*The last token that is out ends in /,
  );
  assert.equal(await isGranted(token, 'chat'), false);
  assert.match(await run('Revoke a person', 2), / blocked .* has left +operator /);
  await control('PUT', '/users/ada', { accountEnabled: false });
  await assert.rejects(signedIn('ada'), 'Entra knows it too');
  await control('PUT', '/users/ada', { accountEnabled: true });
  await pass(150);
  assert.equal(await isGranted(await signedIn('ada'), 'chat'), false, 'blocked, also with a new sign-in');
  await lift(`user ${caller('ada').objectId}`);
  assert.equal(await isGranted(token, 'chat'), false, 'the cut-off stays');
  assert.ok(await isGranted(await signedInLater('ada'), 'chat'));
});

test('revoke an application, and lift it', async () => {
  const [token, other] = [await signedIn('captions'), await signedIn('translations')];
  assert.ok(await isGranted(token, 'speech'));
  assert.match(await run('Revoke an application', 1), /in force on every instance/);
  assert.match(await run('Revoke an application', 2), / blocked /);
  assert.equal(await isGranted(token, 'speech'), false);
  assert.ok(await isGranted(other, 'translator'), 'nobody else');
  await lift(`client ${caller('captions').clientId}`);
  assert.ok(await isGranted(await signedInLater('captions'), 'speech'));
});

test("revoke a lost laptop's tokens", async () => {
  const token = await signedIn('ada');
  assert.ok(await isGranted(token, 'chat'));
  assert.match(await run("Revoke a lost laptop's tokens", 1), /granted +\S+ +chat \(obo\)/);
  await run("Revoke a lost laptop's tokens", 2);
  assert.equal(await isGranted(token, 'chat'), false);
  const { now } = await control('GET', '/clock');
  await control('PUT', '/users/ada', { signInSessionsValidFromDateTime: now });
  assert.ok(await isGranted(await signedInLater('ada'), 'chat'), 'signed in anew');
  assert.equal(await isGranted(token, 'chat'), false);
});

test('revoke one token', async () => {
  const [lost, kept] = [await signedIn('captions'), await signedIn('captions')];
  await run('Revoke one token', 1, { UTI: utiOf(lost) });
  assert.equal(await isGranted(lost, 'speech'), false);
  assert.ok(await isGranted(kept, 'speech'));
});

test('undo a change of the policy', async () => {
  const hand = await policyHand(stack);
  const { version } = await hand.read();
  await hand.change((policy) => {
    policy.grants = policy.grants.filter(({ name }) => name !== 'captions');
  });
  assert.equal(await isGranted(await signedIn('captions'), 'speech'), false);
  const POLICY_VERSION = version.slice(0, 12);
  const [, now, before] = (await run('Undo a change of the policy', 1)).trim().split('\n');
  assert.match(now ?? '', /applied .* a test$/);
  assert.match(before ?? '', new RegExp(`${POLICY_VERSION}.* packaged`));
  assert.match(await run('Undo a change of the policy', 2, { POLICY_VERSION }), /may now have sts/);
  assert.ok(await isGranted(await signedIn('captions'), 'speech'));
});

test('revoke everything, and lift it', async () => {
  const callers = [await signedIn('captions'), await signedIn('ada')];
  await run('Revoke everything', 1);
  for (const token of callers)
    for (const target of ['speech', 'chat']) assert.equal(await isGranted(token, target), false);
  assert.match(await run('Revoke everything', 2), /^20\S+Z +blocked +tenant \S+ +20\S+Z .*\n$/);
  await lift(`tenant ${caller('captions').tenantId}`);
  assert.ok(await isGranted(await signedInLater('captions'), 'speech'));
});

test('why was somebody refused', async () => {
  const refused = await exchange(await signedIn('captions'), 'chat');
  const CORRELATION_ID = String(refused.body['correlation_id']);
  const { clientId, objectId } = caller('captions');
  assert.match(
    await run('Why was somebody refused?', 1, { CORRELATION_ID }),
    new RegExp(
      `^outcome +refused\nreason +grant_missing[\\s\\S]*resource +chat\ncaller +${objectId}[\\s\\S]*add this caller to the\\s+callers of `,
    ),
  );
  const unverified = await exchange('not.a.token', 'chat');
  const line = `caller_unverified: malformed" correlation=${unverified.body['correlation_id']}`;
  await eventually(() => stack.log().includes(line));
  const listed = await run('Why was somebody refused?', 3);
  assert.match(listed, new RegExp(` cut off +client ${clientId} .* its secret is out +operator `));
});

test('who used what', async () => {
  const { objectId } = caller('translations');
  const token = await signedIn('translations');
  const count = async () => {
    const said = await run('Who used what?', 1);
    const found = new RegExp(`^translator +(?:translations|${objectId}) +sts +granted +(\\d+) `, 'm').exec(
      said,
    );
    return Number(found?.[1] ?? 0);
  };
  for (let times = 0; times < 3; times += 1) assert.ok(await isGranted(token, 'translator'));
  await control('POST', '/clock', { advanceSeconds: 300 });
  await fetch(`${stack.description.apps.rotator[0]}/admin/functions/close`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  });
  await eventually(async () => (await count()) >= 3);
  assert.match(await run('Who used what?', 3), /^Nothing was changed\./);
  assert.match(await run('Who used what?', 2), /^\S+ +granted .* chat \(obo\) .*[0-9a-f]{32}$/m);
});

const stateOf = async (name: string) =>
  (await rotation.row(name))?.state ?? assert.fail(`${name} has no row`);
/** A tick after each pause until it is so. */
async function tickUntil(
  seconds: number,
  name: string,
  isSo: (state: RotationState) => unknown,
  most = 60,
): Promise<void> {
  for (let ticks = 0; !isSo(await stateOf(name)); ticks += 1) {
    assert.ok(ticks < most, `${JSON.stringify(await stateOf(name))}\n${stack.log().slice(-3000)}`);
    await pass(seconds);
    await rotation.tick();
  }
}
/** More than the life of a token that was bought with a key, for which a rotation waits. */
const untilSteady = (name: string) => tickUntil(700, name, ({ work, blocked }) => !work && !blocked);
/** The accounts whose keys were regenerated since, by the broker or by hand. */
async function regeneratedSince(entry: number): Promise<string[]> {
  const { requests } = await rotation.requests(entry);
  return requests
    .filter(({ operation, status }) => operation === 'regenerateKey' && status === 200)
    .map(({ resource }) => resource);
}
const lastRequest = async () => (await rotation.requests()).last;

/** Somebody has made a step of it: two lines after the empty one. */
const BEGUN = /^state +running[\s\S]*\n\n.+\n.+\n/m;

/** Asks for a rotation by the first step of a task, and waits until its operation has this outcome. */
async function demand(task: string, outcome: RegExp): Promise<void> {
  const [, OPERATION = ''] = /operation ([0-9a-f-]{36}) /.exec(await run(task, 1)) ?? [];
  await eventually(async () => outcome.test(await run('Rotate now', 2, { OPERATION })));
}

test('rotate now, freeze in the middle, thaw: a rotation stands still and goes on', async () => {
  const entry = await lastRequest();
  await demand('Rotate now', BEGUN);
  const isDraining = ({ work }: RotationState) => work?.phase.name === 'draining';
  await tickUntil(61, 'speech', isDraining);
  await run('Freeze the rotation', 1);
  const paused = (await run('Freeze the rotation', 2)).trim().split('\n');
  assert.equal(paused.length, 3);
  for (const line of paused) assert.match(line, /^\S+ +paused: .*: a freeze$/);
  for (let ticks = 0; ticks < 2; ticks += 1) {
    await pass(1200);
    await rotation.tick();
  }
  assert.ok(isDraining(await stateOf('speech')), 'it stands still');
  assert.deepEqual(await regeneratedSince(entry), []);
  assert.ok(await isGranted(await signedIn('captions'), 'speech'), 'exchanges go on');
  await demand('Rotate now', /^state +failed[\s\S]*the account is paused/m);

  await run('Thaw the rotation', 1);
  await rotation.tick();
  assert.doesNotMatch(await run('Thaw the rotation', 2), /paused/);
  await untilSteady('speech');
  assert.equal((await regeneratedSince(entry)).filter((name) => name === 'speech').length, 2);
  assert.match(await run('Rotate now', 3), /^state +steady$/m);
  assert.ok(await isGranted(await signedIn('captions'), 'speech'));
});

test('is every key young enough', async () => {
  const said = await run('Is every key young enough?', 1);
  assert.match(said, /^speech +steady +Key[12] +20\S+Z +20\S+Z$/m);
  assert.doesNotMatch(said, /overdue/);
  assert.doesNotMatch(await run('Is every key young enough?', 2), /unknown age/);
});

/** The policy's period is an hour, so without a pause another account may become due while a test counts. */
async function say(act: 'pause' | 'resume', ...accounts: readonly string[]): Promise<void> {
  const headers = { authorization: `Bearer ${await stack.callerToken('operator')}` };
  for (const name of accounts) {
    const path = `${stack.description.broker}/operator/accounts/${name}/${act}`;
    const answer = await fetch(path, { method: 'POST', headers, body: '{"reason":"a test"}' });
    assert.equal(answer.status, 200);
  }
}

test('a key leaked: its account is known, or only the key', async () => {
  await say('pause', 'chat', 'translator');
  let entry = await lastRequest();
  await demand('A key leaked', BEGUN);
  await untilSteady('speech');
  assert.deepEqual(await regeneratedSince(entry), ['speech', 'speech']);
  assert.match(await run('A key leaked', 2), /^state +steady$/m);

  const [, , report = assert.fail('no third step')] = under('A key leaked');
  const vaultToken = await stack.callerToken('operator', 'https://vault.azure.net/.default');
  const secret = await fetch(`${stack.description.keyVault}/secrets/translator-key?api-version=7.4`, {
    headers: { authorization: `Bearer ${vaultToken}` },
  });
  const { value: KEY } = (await secret.json()) as { value: string };
  const FOUND = join(scratch, 'found.log');
  writeFileSync(FOUND, `a line\nOcp-Apim-Subscription-Key: ${KEY}\n`);
  entry = await lastRequest();
  const { epoch } = await stateOf('translator');
  const { status, out, err } = await runBlock(report, { FOUND });
  assert.equal(status, 0, err);
  assert.ok(!out.includes(KEY) && !err.includes(KEY));
  assert.match(out, /translator/);
  await tickUntil(120, 'translator', ({ epoch: now }) => now > epoch);
  await eventually(async () => {
    await rotation.tick();
    return (await regeneratedSince(entry)).includes('translator');
  });
  await say('resume', 'chat', 'translator');
});

/** The shipped policy and environments, with ids that are no placeholders. */
function ownEnvironments(change: (environments: Record<string, Record<string, unknown>>) => void): string {
  const own = (name: string) =>
    readFileSync(join(root, 'infra', name), 'utf8').replaceAll(
      '00000000-0000-4000-8000-00000000',
      '5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d',
    );
  for (const name of ['policy.json', 'policy.dev.json']) writeFileSync(join(scratch, name), own(name));
  const environments = JSON.parse(own('environments.json'));
  change(environments);
  const file = join(scratch, 'environments.json');
  writeFileSync(file, JSON.stringify(environments));
  return file;
}

test('upgrade: the policy is checked; roll back: the broker answers', async () => {
  const said = await run('Upgrade', 2, { ENVIRONMENTS: ownEnvironments(() => {}) });
  assert.match(said, /^prod: the policy has every role it needs/m);
  assert.match(await run('Roll back', 2), /^ok {2}broker/m);
});

/** As the broker lists it. */
async function blockOf(name: string) {
  const headers = { authorization: `Bearer ${await stack.callerToken('auditor')}` };
  const answer = await fetch(`${stack.description.broker}/operator/revocations?limit=1000`, { headers });
  const { items } = (await answer.json()) as {
    items: { scope: Record<string, string>; blocked: boolean; reason: string; receivedAt: string }[];
  };
  return (
    items.find(({ scope, blocked }) => blocked && scope['clientId'] === caller(name).clientId) ??
    assert.fail()
  );
}

test('move to another region: who rotates an account twice is refused, and blocks are carried over', async () => {
  const ENVIRONMENTS = ownEnvironments((environments) => {
    environments['prod-weu'] = { ...environments['prod'] };
  });
  const twice = await attempt('Move to another region', 1, { ENVIRONMENTS });
  assert.equal(twice.status, 1);
  assert.match(twice.err, /prod-weu: prod rotates the keys of .* too/);

  const BROKER = stack.description.broker;
  await run('Revoke an application', 1);
  const before = await blockOf('captions');
  await run('Move to another region', 3, { NEW_BROKER: BROKER });
  const carried = await blockOf('captions');
  assert.deepEqual([carried.blocked, carried.reason, carried.scope], [true, before.reason, before.scope]);
  assert.notEqual(carried.receivedAt, before.receivedAt, 'revoked once more, there');
  await lift(`client ${caller('captions').clientId}`);
});

test('everything is compromised: the evidence is saved, and after new keys by hand exchanges come back', async () => {
  const said = await run('Everything is compromised', 1);
  for (const name of [
    'audit.json',
    'revocations.json',
    'events.json',
    'accounts.json',
    'operation.json',
    'policy-versions.json',
    'policy.json',
  ])
    assert.match(said, new RegExp(` ${name}$`, 'm'));
  for (const slot of ['Key1', 'Key2']) await regenerate('translator', slot);
  await eventually(async () => {
    await rotation.tick();
    return (await stack.exchange(await signedInLater('translations'), 'translator')).status === 200;
  });
});

/** How each kind of problem is brought about in the local mode, and put right again. */
interface Trouble {
  readonly make: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
}
const set = (path: string, bad: object, good: object): Trouble => ({
  make: () => control('PUT', path, bad),
  repair: () => control('PUT', path, good),
});
const fault = (service: string, body: object): Trouble => ({
  make: () => control('PUT', `/faults/${service}`, body),
  repair: () => control('DELETE', `/faults/${service}`),
});
const regenerate = (name: string, keyName: string) =>
  control('POST', `/accounts/${name}/regenerate`, { keyName });
/** Somebody changes both keys meanwhile, so that there is something to write into the vault. */
const whileHealing = ({ make, repair }: Trouble): Trouble => ({
  make: async () => {
    await make();
    for (const slot of ['Key1', 'Key2']) await regenerate('speech', slot);
  },
  repair,
});
const onWrite = (answer: object) => whileHealing(fault('keyvault', { ...answer, operation: 'setSecret' }));
const TROUBLES: Readonly<Record<Problem['code'], Trouble | string>> = {
  keys_switched_off: set('/accounts/speech', { disableLocalAuth: true }, { disableLocalAuth: false }),
  account_forbidden: set('/roles/rotator', { assigned: false }, { assigned: true }),
  account_gone: {
    make: () => control('DELETE', '/accounts/speech'),
    repair: () => control('PUT', '/accounts/speech'),
  },
  vault_forbidden: fault('keyvault', { mode: 'status', status: 403, operation: 'getSecret' }),
  secret_deleted: set('/secrets/speech-key', { deleted: true }, { deleted: false }),
  key_refused: fault('sts', { mode: 'status', status: 401 }),
  no_key_accepted: whileHealing(fault('sts', { mode: 'status', status: 401 })),
  service_forbids: onWrite({ mode: 'status', status: 403 }),
  service_throttles: onWrite({ mode: 'status', status: 429 }),
  service_unreachable: onWrite({ mode: 'garbage' }),
  service_fails: onWrite({ mode: 'status', status: 500 }),
  overwritten: whileHealing(fault('keyvault', { mode: 'stale', lagMs: 600_000 })),
  regenerate_refused: 'the account would have to change between two calls of one step',
  regenerate_without_effect: 'the simulated account always makes a new key',
  in_words: 'only rows of earlier versions have it',
};

const MAX_TICKS = 16;
/** Until the plan that the last tick wrote says so: events change the account's state between the ticks too. */
async function planned(code: string): Promise<void> {
  for (let ticks = 0; ticks < MAX_TICKS; ticks += 1) {
    await rotation.tick();
    const answer = await fetch(`${stack.description.broker}/operator/accounts`, {
      headers: { authorization: `Bearer ${await stack.callerToken('operator')}` },
    });
    const { items } = (await answer.json()) as { items: { name: string; blocked?: { code: string } }[] };
    if (items.find(({ name }) => name === 'speech')?.blocked?.code === code) return;
    await pass(300);
  }
  assert.fail(`never ${code}: ${JSON.stringify(await stateOf('speech'))}\n${stack.log().slice(-3000)}`);
}

test('a stuck rotation: the page has a heading for every kind of problem, and no other', () => {
  const [, section = ''] = /^### A rotation is stuck\n([\s\S]*?)^### /m.exec(page) ?? [];
  const named = [...section.matchAll(/^#### (.*)$/gm)].flatMap(([, heading = '']) =>
    [...heading.matchAll(/`(\w+)`/g)].map(([, code]) => code),
  );
  assert.deepEqual(named.toSorted(), PROBLEM_CODES.toSorted());
});

for (const [code, trouble] of Object.entries(TROUBLES))
  if (typeof trouble === 'string') test(`a rotation stuck by ${code}`, { skip: trouble }, () => {});
  else
    test(`a rotation stuck by ${code} is shown, and goes on after the repair`, async () => {
      const codeOf = ({ work, blocked }: RotationState) => (blocked ?? work?.problem)?.code;
      await trouble.make();
      await planned(code);
      assert.match(await run('A rotation is stuck', 1), new RegExp(`^blocked .*\\(${code}\\)$`, 'm'));
      await trouble.repair();
      await run('A rotation is stuck', 2);
      await tickUntil(300, 'speech', (state) => codeOf(state) === undefined, MAX_TICKS);
    });

test('a rotation that was stuck comes to its end', async () => {
  await untilSteady('speech');
  assert.match(await run('A rotation is stuck', 3), /^speech +(overdue: )?steady /m);
});

test('a task has at most three steps, each a numbered sentence with one block', () => {
  const tasks = new Set(
    blocks.flatMap(({ headings }) => (headings[1] === 'Runbook' ? [headings[2] ?? ''] : [])),
  );
  assert.ok(tasks.size > 15);
  for (const task of tasks) {
    const [, section = ''] = page.split(`\n### ${task}\n`);
    const [text = ''] = section.split(/^###+ /m);
    const steps = text.match(/^\d\. /gm)?.length ?? 0;
    assert.ok(steps > 0 && steps <= 3, `${task}: ${steps} steps`);
    if (task !== 'Before you begin') assert.equal(under(task).length, steps, task);
  }
});

test('no key older than its period goes unnoticed when nothing rotates any more', async () => {
  await pass(3 * 86_400);
  const said = await run('Is every key young enough?', 1);
  assert.equal(said.match(/^\w+ +overdue: /gm)?.length, 3, said);
});

/** Programs that do nothing but say with what they were called. What Azure would answer is as little as a block needs. */
function standIns(): string {
  const folder = join(scratch, 'stand-ins');
  mkdirSync(folder);
  const answers = `case "$*" in
*'env get-values'*) printf '%s\\n' BROKER_URL=https://broker.test BROKER_CLIENT_ID=id AZURE_ENV_NAME=prod ;;
*'identity list'*) printf '%s\\n' issuer-principal rotator-principal ;;
esac
`;
  for (const name of ['az', 'azd', 'git', 'npm']) {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >&2\n${answers}`);
    chmodSync(file, 0o700);
  }
  return folder;
}

test('what calls Azure is written in known variables, and runs through where az, azd, git and npm do nothing', () => {
  const PATH = `${standIns()}:${process.env['PATH']}`;
  const POLICY = join(root, 'infra/policy.json');
  const bicep = readFileSync(join(root, 'infra/main.bicep'), 'utf8');
  const outputs = [...bicep.matchAll(/^output (\w+) /gm)].map(([, name = '']) => name);
  const [, table = ''] = /^\| variable \| what .*\n([\s\S]*?)\n\n/m.exec(page) ?? [];
  const listed = [...table.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name);
  const known = [...outputs, ...listed, 'BROKER_CLIENT_ID', 'BROKER_PRINCIPAL_ID'];
  const set = { ...Object.fromEntries(known.map((name) => [name, `some-${name}`])), POLICY, PATH };
  for (const { text } of blocks.filter(notTried)) {
    const { status, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', text], {
      env: set,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${text}\n${stderr}`);
    assert.match(stderr, /^(az|azd|git|npm) /m);
    if (text.includes('functionapp stop')) {
      for (const principal of ['issuer-principal', 'rotator-principal', 'some-BROKER_PRINCIPAL_ID'])
        assert.ok(stderr.includes(`az role assignment delete --assignee ${principal} --yes`));
      for (const account of ['speech', 'chat'])
        for (const slot of ['Key1', 'Key2'])
          assert.match(
            stderr,
            new RegExp(`/contoso-${account}/regenerateKey\\S+ --body {"keyName":"${slot}"}`),
          );
    }
  }
});

test('every block of the page was run, or says why not', (t) => {
  if (signIn) tried.add(signIn);
  if (commands) tried.add(commands);
  assert.ok(signInToAzure && notTried(signInToAzure));
  const drawings = blocks.filter(({ language }) => language === 'mermaid');
  const scripts = blocks.filter(({ language }) => language === 'sh');
  assert.equal(scripts.length + drawings.length, blocks.length);
  const left = scripts.filter((block) => notTried(block) !== undefined);
  const forgotten = scripts.filter((block) => !tried.has(block) && !left.includes(block));
  assert.deepEqual(
    forgotten.map(({ headings, text }) => `${headings.at(-1)}:\n${text}`),
    [],
  );
  t.diagnostic(
    `infra/README.md: ${scripts.length} blocks, ${tried.size} run, ${left.length} not tried; ${drawings.length} drawing`,
  );
  for (const block of left) t.diagnostic(`not tried, under "${block.headings.at(-1)}": ${notTried(block)}`);
});

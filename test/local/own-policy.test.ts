/** A policy of one's own in the local mode, from an empty folder with that file alone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readOptions } from '../../src/local/options.ts';
import { MAX_ACCOUNTS } from '../../src/local/simulated/policy-world.ts';
import { NO_TIMER, rotationOf } from '../flows/rotation-hand.ts';
import { type Stack, startStack } from '../flows/stack.ts';
import { descendants } from './started.ts';

const folder = mkdtempSync(join(tmpdir(), 'own-policy-'));
const file = join(folder, 'my-policy.json');
const data = join(folder, 'data');
copyFileSync(join(import.meta.dirname, 'own-policy.json'), file);

interface PolicyFile {
  resources: Record<string, unknown>[];
  grants: Record<string, unknown>[];
}
function changeFile(change: (policy: PolicyFile) => void): void {
  const policy: PolicyFile = JSON.parse(readFileSync(file, 'utf8'));
  change(policy);
  writeFileSync(file, JSON.stringify(policy));
}

let stack: Stack;
const start = () => startStack(['--policy', file, '--data', data], NO_TIMER);
before(async () => {
  stack = await start();
});
after(async () => {
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A first exchange on a busy machine may take longer than a deadline; then the caller is told to try again. */
async function exchanged(caller: string, target: string) {
  for (let left = 10; ; left -= 1) {
    const answer = await stack.exchange(await stack.callerToken(caller), target);
    if (answer.status !== 503 || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
const hostOf = (name: string) =>
  stack.description.resources.find((resource) => resource.name === name)?.endpoint ?? assert.fail(name);
async function statusOf(url: string, token: unknown, body?: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return answer.status;
}

const CALLS: readonly [caller: string, resource: string, kind: string, path: string, body?: object][] = [
  ['voice', 'contact-centre', 'sts', '/tts/cognitiveservices/voices/list'],
  ['voice-2', 'contact-centre', 'sts', '/tts/cognitiveservices/voices/list'],
  [
    'writers',
    'assistant',
    'obo',
    '/openai/v1/chat/completions',
    { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] },
  ],
  ['bookkeeping', 'invoices', 'entra', '/documentintelligence/info?api-version=2024-11-30'],
];
for (const [caller, resource, kind, path, body] of CALLS)
  test(`${caller} gets a token for ${resource}, by ${kind}, and the account takes it`, async () => {
    const answer = await exchanged(caller, resource);
    assert.equal(answer.status, 200, `${answer.text}\n${stack.log()}`);
    assert.equal(answer.body['token_kind'], kind);
    assert.equal(answer.body['endpoint'], hostOf(resource));
    assert.equal(await statusOf(`${hostOf(resource)}${path}`, answer.body['access_token'], body), 200);
    assert.equal((await exchanged(caller, hostOf(resource))).status, 200, 'by its address too');
  });

test('who may not is refused', async () => {
  for (const [caller, resource, error] of [
    ['voice', 'assistant', 'invalid_target'],
    ['writers', 'invoices', 'invalid_target'],
    ['bookkeeping', 'contact-centre', 'invalid_target'],
    ['publisher', 'contact-centre', 'invalid_target'],
    ['outsider', 'contact-centre', 'invalid_request'],
  ] as const) {
    const answer = await exchanged(caller, resource);
    assert.equal(answer.body['error'], error, `${caller} at ${resource}: ${answer.text}`);
  }
});

test('the person is in the group of the policy, and who is taken out of it is refused', async () => {
  await stack.control('PUT', '/users/writers', { groups: [] });
  assert.equal((await exchanged('writers', 'assistant')).body['error'], 'invalid_target');
  await stack.control('PUT', '/users/writers', { groups: ['50000000-0000-4000-8000-000000000001'] });
});

test('the key of the account is rotated, and exchanges go on', async () => {
  const rotation = rotationOf(stack);
  await rotation.tick();
  while (!(await rotation.begin('contact-centre'))) await rotation.tick();
  const { last } = await rotation.requests();
  const regenerated = async () =>
    (await rotation.requests(last)).requests
      .filter(({ operation }) => operation === 'regenerateKey')
      .map(({ resource, status }) => `${resource} ${status}`);
  for (let ticks = 0; (await regenerated()).length < 2; ticks += 1) {
    assert.ok(ticks < 60, `both keys are regenerated:\n${stack.log().slice(-2000)}`);
    await stack.control('POST', '/clock', { advanceSeconds: 120 });
    await rotation.tick();
  }
  assert.deepEqual(await regenerated(), ['contact-centre 200', 'contact-centre 200']);
  assert.equal((await exchanged('voice', 'contact-centre')).status, 200);
});

test('the file is put in force when an instance is started again', async () => {
  changeFile(({ resources, grants }) => {
    Object.assign(resources[0] ?? {}, { name: 'switchboard' });
    Object.assign(grants[0] ?? {}, { resources: ['switchboard'] });
  });
  const instances = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('local/instance.ts'))
    .map((line) => Number.parseInt(line, 10));
  const [pid = assert.fail('no instance')] = descendants(stack.pid).filter((one) => instances.includes(one));
  process.kill(pid, 'SIGKILL');
  const answers = async () => (await fetch(`${stack.description.broker}/health`).catch(() => undefined))?.ok;
  while (descendants(stack.pid).includes(pid) || !(await answers()))
    await new Promise((resolve) => setTimeout(resolve, 50));
  // The instance answers under the policy that was in force, until the launcher has put the file in its place.
  let answer = await exchanged('voice', 'switchboard');
  for (let left = 100; left > 0 && answer.status !== 200; left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer = await exchanged('voice', 'switchboard');
  }
  assert.equal(answer.status, 200, answer.text);
  changeFile(({ resources, grants }) => {
    Object.assign(resources[0] ?? {}, { name: 'contact-centre' });
    Object.assign(grants[0] ?? {}, { resources: ['contact-centre'] });
  });
});

test('with --data a changed policy keeps the accounts that it still names, and adds the new ones', async () => {
  const keys = () => {
    const { accounts } = JSON.parse(readFileSync(join(data, 'accounts.json'), 'utf8'));
    return accounts['contact-centre'].keys.map(({ fingerprint }: { fingerprint: string }) => fingerprint);
  };
  const before = keys();
  await stack[Symbol.asyncDispose]();
  changeFile((policy) => {
    const [voice = {}] = policy.resources;
    policy.resources[1] = {
      ...voice,
      name: 'hotline',
      accountId: `${voice['accountId']}-2`,
      endpoint: 'https://contoso-voice-2.cognitiveservices.azure.com',
      secret: 'hotline-key',
    };
    policy.grants[1] = { ...policy.grants[0], name: 'callers', resources: ['hotline'] };
  });
  stack = await start();
  assert.deepEqual(
    stack.description.resources.map(({ name }) => name),
    ['contact-centre', 'hotline', 'invoices'],
  );
  assert.deepEqual(keys(), before);
  for (const [caller, resource] of [
    ['voice', 'contact-centre'],
    ['callers', 'hotline'],
  ] as const)
    assert.equal((await exchanged(caller, resource)).status, 200, `${resource}\n${stack.log()}`);
});

test('a policy of which nobody may have anything starts, and the first script says so', async () => {
  await stack[Symbol.asyncDispose]();
  changeFile((policy) => {
    policy.grants = [];
  });
  stack = await start();
  const said = execFileSync('sh', [join(data, 'first-token.sh')], { encoding: 'utf8' });
  assert.match(said, /No caller of this policy may have a token/);
  const variables = execFileSync('sh', ['-c', `. '${join(data, 'env.sh')}' && echo "<$AZURE_CLIENT_ID>"`]);
  assert.equal(variables.toString(), '<>\n');
});

test(`a policy of more than ${MAX_ACCOUNTS} accounts is refused in words`, () => {
  const many = join(folder, 'many.json');
  const policy: PolicyFile = JSON.parse(readFileSync(file, 'utf8'));
  const [first = {}] = policy.resources;
  policy.resources = Array.from({ length: MAX_ACCOUNTS + 1 }, (_, at) => ({
    ...first,
    name: `account-${at}`,
    accountId: `${first['accountId']}-${at}`,
    endpoint: `https://account-${at}.cognitiveservices.azure.com`,
    secret: `key-${at}`,
  }));
  writeFileSync(many, JSON.stringify(policy));
  assert.throws(() => readOptions(['--policy', many]), {
    message: `--policy: ${MAX_ACCOUNTS + 1} accounts, and the local mode simulates ${MAX_ACCOUNTS} at most: each listens at two ports`,
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startUpstream } from '../../azure/upstream-server.ts';

const CLI = fileURLToPath(new URL('../../../src/local/drive/rotation.ts', import.meta.url));
const plan = {
  name: 'speech',
  rotates: true,
  state: 'stuck: regenerating (Key1)',
  next: { what: 'arm: down', at: '2026-11-22T13:00:00.000Z' },
  blocked: { code: 'service_fails', what: 'arm: down', advice: 'look at the service' },
  rotatedAt: '2026-10-22T12:00:00.000Z',
  dueAt: '2026-11-20T12:00:00.000Z',
  overdue: true,
  slots: [{ slot: 'Key1', state: 'active' }],
};
const step = {
  at: '2026-11-22T12:00:00.000Z',
  from: 'proving (Key1)',
  to: 'promoting (Key2)',
  what: 'Key1 is retired',
  tookMs: 600_000,
  by: 'a/1',
  emergency: true,
  newKeyLagMs: 30_000,
};
const ASKED = { at: '2026-11-22T12:00:00.000Z', what: 'asked for' };

let upstream: Awaited<ReturnType<typeof startUpstream>>;
before(async () => {
  let looks = 0;
  upstream = await startUpstream(({ method, path, headers }) => {
    if (headers.authorization !== 'Bearer the-token')
      return { status: 403, body: { detail: 'the app role is required' } };
    if (method !== 'GET') return { status: 202, body: { operation: path.includes('paused') ? 'd2' : 'd1' } };
    if (path.endsWith('/d2'))
      return {
        status: 200,
        body: { state: 'failed', steps: [ASKED], problem: { code: 'not_begun', advice: 'resume it first' } },
      };
    if (path.startsWith('/operator/accounts/speech/history')) return { status: 200, body: { items: [step] } };
    if (!path.startsWith('/operator/operations/')) return { status: 200, body: { items: [plan] } };
    looks += 1;
    const steps = looks === 1 ? [ASKED] : [ASKED, { at: ASKED.at, what: 'proving (Key2)' }];
    return { status: 200, body: { state: 'running', steps } };
  });
});
after(() => upstream[Symbol.asyncDispose]());

function run(token: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, BROKER_TOKEN: token };
    execFile(process.execPath, [CLI, ...args, '--broker', upstream.url], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

test('the plan says the state, what is next and until when, what blocks it, and what to do', async () => {
  const { code, out } = await run('the-token', 'plan');
  assert.equal(code, 0);
  const { next, blocked } = plan;
  for (const said of [
    plan.state,
    next.what,
    next.at,
    blocked.what,
    blocked.advice,
    `${plan.dueAt} OVERDUE`,
    'unknown (Key1)',
  ]) {
    assert.ok(out.includes(said), said);
  }
});

test('the history says each step in words, its lags and that it was an emergency', async () => {
  const { out } = await run('the-token', 'history', 'speech');
  assert.match(out, /proving \(Key1\) -> promoting \(Key2\), after 600 s: Key1 is retired/);
  assert.match(out, /new key accepted within 30 s/);
  assert.match(out, /\[emergency\]/);
});

test('rotating now sends what was said and nothing else, and tells the outcome in words', async () => {
  const { code, out } = await run(
    'the-token',
    'now',
    'speech',
    '--slot',
    'Key2',
    '--emergency',
    '--reason',
    'leaked',
  );
  assert.equal(code, 0);
  assert.match(out, /^speech: a rotation has begun\n {2}proving \(Key2\)\n/);
  const asked = upstream.asked.find(({ method }) => method === 'POST');
  assert.deepEqual(
    upstream.asked.slice(-2).map(({ path }) => path),
    ['/operator/operations/d1', '/operator/operations/d1'],
  );
  assert.equal(`${asked?.method} ${asked?.path}`, 'POST /operator/accounts/speech/rotate');
  assert.deepEqual(JSON.parse(asked?.body ?? ''), { emergency: true, reason: 'leaked', slot: 'Key2' });
});

test('a rotation that has not begun is no success: it ends with 1 and says what to do', async () => {
  const { code, err } = await run('the-token', 'now', 'paused');
  assert.equal(code, 1);
  assert.match(err, /no rotation has begun: resume it first/);
});

test('a refusal ends with 1 and says why, a wrong command with 2 and its usage', async () => {
  const refused = await run('another', 'plan');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /403: the app role is required/);
  assert.doesNotMatch(refused.err, /npm run rotation/, 'the usage would push the reason off the screen');
  for (const [args, why] of [
    [['now'], 'which resource?'],
    [['rotate', 'speech'], 'no such command: rotate'],
    [[], 'which command?'],
  ] as const) {
    const wrong = await run('the-token', ...args);
    assert.equal(wrong.code, 2);
    assert.ok(wrong.err.startsWith(`${why}\n\nnpm run rotation`), wrong.err);
  }
  assert.match((await run('', 'plan')).err, /BROKER_TOKEN is not set/);
});

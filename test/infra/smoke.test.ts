/** `npm run smoke`, against the local mode and against brokers that are not well. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Finding, smoke } from '../../infra/smoke-checks.ts';
import { NO_TIMER } from '../flows/rotation-hand.ts';
import { startStack } from '../flows/stack.ts';
import { infra } from './bicep-syntax.ts';

test('a broker that is well passes, and one that refuses the caller does not; no token is in what is said', async () => {
  await using stack = await startStack([], NO_TIMER);
  await stack.warm();
  const run = (token: string, resource: string): Promise<{ status: number; said: string }> =>
    new Promise((resolve) => {
      const args = ['smoke.ts', '--broker', stack.description.broker, '--resource', resource];
      const env = { ...process.env, BROKER_TOKEN: token, NODE_EXTRA_CA_CERTS: stack.description.ca };
      execFile(process.execPath, args, { cwd: join(infra), env }, (error, stdout, stderr) => {
        const said = `${stdout}${stderr}`;
        assert.doesNotMatch(said, /eyJ[\w-]{8}/);
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, said });
      });
    });
  const token = await stack.callerToken('captions');
  const good = await run(token, 'speech');
  assert.equal(good.status, 0, good.said);
  assert.deepEqual(
    good.said.split('\n').map((line) => line.replace(/(;|,| of kind).*$/, '')),
    [
      'ok   health: ok',
      'ok   metadata: names this address',
      'ok   a request without a token: refused',
      'ok   a text that is no token: refused',
      'ok   exchange: a token',
      'ok   speech takes the token',
      'ok   introspection: active',
      '',
    ],
  );
  const bad = await run(token, 'chat-that-is-not-there');
  assert.equal(bad.status, 1);
  assert.match(bad.said, /^FAIL exchange: answered 400 invalid_target$/m);
});

const TARGET = { broker: 'https://broker.example/', token: 'the-token', resource: 'speech', path: '/voices' };
/** @param answers by the end of the address; nothing answers where there is none */
async function smokeOf(answers: Readonly<Record<string, () => Response>>) {
  let nowMs = 0;
  const findings = await smoke(TARGET, {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    fetch: async (url, init) => {
      // Whoever answers with another address must not get the caller's token there.
      assert.equal(init?.redirect, 'manual');
      nowMs += 1_000;
      const [, answer] = Object.entries(answers).find(([path]) => String(url).endsWith(path)) ?? [];
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer();
    },
  });
  return { findings, tookMs: nowMs };
}
const kinds = (findings: readonly Finding[]): string[] => findings.map(({ kind }) => kind);

test('nothing that answers is out of reach, after ten minutes of tries', async () => {
  const { findings, tookMs } = await smokeOf({});
  assert.deepEqual(kinds(findings), ['out of reach']);
  assert.ok(tookMs > 580_000 && tookMs <= 601_000, String(tookMs));
});

test('what is throttled is tried again when it says so, and what cannot be read is an answer that is wrong', async () => {
  let asked = 0;
  const { findings, tookMs } = await smokeOf({
    '/health': () => {
      asked += 1;
      return asked === 1
        ? new Response('', { status: 503, headers: { 'retry-after': '120' } })
        : Response.json({ status: 'ok' });
    },
    '/oauth-authorization-server': () => new Response('{"issuer":'),
    '/oauth2/token': () => new Response('', { status: 302, headers: { location: 'https://other.example' } }),
  });
  assert.equal(asked, 2);
  assert.ok(tookMs >= 120_000 && tookMs < 140_000, String(tookMs));
  assert.deepEqual(
    findings.map(({ text }) => text),
    [
      'health: ok; the rotator has not looked at the accounts yet',
      'metadata: answered 200',
      'a request without a token: answered 302',
      'a text that is no token: answered 302',
      'exchange: answered 302',
    ],
  );
});

test('a token goes out over https, or to this machine', () => {
  const args = ['smoke.ts', '--broker', 'http://broker.example', '--resource', 'speech'];
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: join(infra),
    encoding: 'utf8',
    env: { ...process.env, BROKER_TOKEN: 'the-token' },
  });
  assert.equal(status, 2);
  assert.match(stderr, /https/);
});

test('a broker that would give a token to anybody, or says to be another, fails', async () => {
  const token = {
    access_token: 'x',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 5,
    token_kind: 'sts',
    endpoint: 'https://ai.example',
  };
  const { findings } = await smokeOf({
    '/health': () => Response.json({ status: 'ok' }),
    '/oauth-authorization-server': () =>
      Response.json({ issuer: 'https://other.example', token_endpoint: '' }),
    '/oauth2/token': () => Response.json(token),
    '/voices': () => Response.json({ error: { code: 'InvalidSubscriptionKey' } }, { status: 401 }),
    '/oauth2/introspect': () => Response.json({ active: false }),
  });
  assert.deepEqual(kinds(findings), ['fine', 'wrong', 'wrong', 'wrong', 'fine', 'wrong', 'wrong']);
  assert.match(
    findings[1]?.text ?? '',
    /says that it is https:\/\/other\.example, and was asked as https:\/\/broker\.example$/,
  );
  assert.equal(findings[5]?.text, 'GET https://ai.example/voices: answered 401');
});

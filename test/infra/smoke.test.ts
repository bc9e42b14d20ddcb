/** `npm run smoke`, against the local mode and against brokers that are not well. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
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
  let slept = 0;
  const findings = await smoke(TARGET, {
    sleep: async () => {
      slept += 1;
    },
    fetch: async (url) => {
      const [, answer] = Object.entries(answers).find(([path]) => String(url).endsWith(path)) ?? [];
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer();
    },
  });
  return { findings, slept };
}
const kinds = (findings: readonly Finding[]): string[] => findings.map(({ kind }) => kind);

test('nothing that answers is out of reach, after ten minutes of tries', async () => {
  const { findings, slept } = await smokeOf({});
  assert.deepEqual(kinds(findings), ['out of reach']);
  assert.equal(slept, 39);
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

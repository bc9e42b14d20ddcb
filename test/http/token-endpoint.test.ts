import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpRequest } from '@azure/functions';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { samplePolicy } from '../policy/sample.ts';

const [speech] = loadPolicy(JSON.stringify(samplePolicy())).resources;
assert.ok(speech);
const TOKEN = 'the-issued-token';
const SUBJECT = 'the.subject.token';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

function post(body: string, headers: Record<string, string> = {}): HttpRequest {
  return new HttpRequest({
    method: 'POST',
    url: 'https://attacker.example/oauth2/token',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
      ...headers,
    },
    body: { string: body },
  });
}
const good = new URLSearchParams({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: SUBJECT,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  resource: 'speech',
}).toString();

function world(exchange: Exchange) {
  const lines: string[] = [];
  const log = (event: string, fields?: object): void => void lines.push(`${event} ${JSON.stringify(fields)}`);
  return { lines, endpoint: createTokenEndpoint({ exchange, clock: () => NOW_MS, log }) };
}
const granting: Exchange = async () => ({
  token: new Secret(TOKEN),
  issuedAtMs: NOW_MS,
  expiresAtMs: NOW_MS + 600_000,
  slot: 'Key1',
  epoch: 0,
  generation: 0,
  kind: 'sts',
  grant: 'captions',
  target: { resource: speech, endpoint: speech.endpoint },
});

test('a grant is answered and logged, the token only in the answer', async () => {
  const { lines, endpoint } = world(granting);
  const answer = await endpoint(post(good));
  assert.equal(answer.status, 200);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"outcome":"granted","resource":"speech","kind":"sts","grant":"captions"/);
  assert.ok(lines[0]?.includes(TRACE));
  assert.ok(!lines.join().includes(TOKEN) && !lines.join().includes(SUBJECT));
});

test('a request that cannot be read goes through the exchange too, so that it is on record', async () => {
  const seen: unknown[] = [];
  const { endpoint } = world(async (request, correlation) => {
    seen.push([request, correlation]);
    assert.ok('kind' in request);
    return request;
  });
  const answer = await endpoint(post('grant_type=x'));
  assert.equal(answer.status, 400);
  assert.deepEqual(seen, [[{ kind: 'grant_type_unsupported' }, TRACE]]);
});

test('a refusal is answered and logged with its reason, which only the log has', async () => {
  const { lines, endpoint } = world(async () => ({
    kind: 'caller_unverified',
    fault: 'signature',
    hint: 'unexplained',
  }));
  const answer = await endpoint(post(good));
  assert.equal(answer.status, 400);
  assert.match(lines[0] ?? '', /"reason":"caller_unverified: signature"/);
  assert.ok(!JSON.stringify(answer).includes('signature'));
});

test('an outage is 503, and the log names the service', async () => {
  const { lines, endpoint } = world(() =>
    Promise.reject(new UpstreamFailure('keyvault', 'getSecret: no answer in time')),
  );
  const answer = await endpoint(post(good));
  assert.equal(answer.status, 503);
  assert.match(lines[0] ?? '', /"outcome":"unavailable","reason":"keyvault: getSecret: no answer in time"/);
});

test('anything else is a bug and is not hidden', async () => {
  const { endpoint } = world(() => Promise.reject(new TypeError('a bug')));
  await assert.rejects(endpoint(post(good)), /a bug/);
});

test('an exchange that hangs is 503 within ten seconds of the wall clock', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { endpoint } = world(() => new Promise(() => undefined));
  const answer = endpoint(post(good));
  for (let left = 10; left > 0; left -= 1) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(9_999);
  assert.equal((await answer).status, 503);
});

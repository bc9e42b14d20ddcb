/** The OAuth 2.0 token endpoint, by section. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeEndpoint, good } from './exchange-endpoint.ts';
import { jsonOf } from './serve.ts';

test('RFC 6749 section 3.2: a parameter without a value counts as omitted, an unknown one is ignored', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal((await broker.post({ ...good, scope: '', audience: '', whatever: 'x' })).status, 200);
});

test('RFC 6749 section 3.2: no parameter may be sent more than once', async () => {
  await using broker = await exchangeEndpoint();
  for (const name of [
    'grant_type',
    'subject_token',
    'subject_token_type',
    'scope',
    'client_id',
    'whatever',
  ]) {
    const value = good[name as keyof typeof good] ?? 'x';
    const answer = await broker.post({ ...good, [name]: [value, value] });
    assert.deepEqual([answer.status, (await jsonOf(answer))['error']], [400, 'invalid_request'], name);
  }
});

test('RFC 6749 section 5.1: no cache keeps a token: Cache-Control no-store and Pragma no-cache', async () => {
  await using broker = await exchangeEndpoint();
  for (const members of [good, { ...good, resource: 'https://chat.example' }]) {
    const { headers } = await broker.post(members);
    assert.deepEqual([headers.get('cache-control'), headers.get('pragma')], ['no-store', 'no-cache']);
  }
});

test('RFC 6749 section 5.2: each refusal is 400 with a registered code, and words of the allowed characters', async () => {
  await using broker = await exchangeEndpoint();
  const rows: readonly [string, object][] = [
    ['invalid_request', { subject_token_type: undefined }],
    ['invalid_request', { grant_type: undefined }],
    ['invalid_request', { subject_token: 'x' }],
    ['unsupported_grant_type', { grant_type: 'authorization_code' }],
    ['unsupported_grant_type', { grant_type: 'client_credentials' }],
    ['unsupported_grant_type', { grant_type: 'password' }],
    ['invalid_scope', { scope: 'openid' }],
  ];
  for (const [code, bend] of rows) {
    const answer = await broker.post({ ...good, ...bend });
    const { error, error_description } = await jsonOf(answer);
    assert.deepEqual([answer.status, error], [400, code]);
    assert.match(String(error_description), /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  }
});

test('RFC 6749 section 5.2: a client that authenticates by Basic hears invalid_client, 401 and its own scheme', async () => {
  await using broker = await exchangeEndpoint();
  const answer = await broker.post(good, { authorization: 'Basic YTpi' });
  const { error, error_description } = await jsonOf(answer);
  assert.deepEqual([answer.status, error], [401, 'invalid_client']);
  assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm=/);
  assert.match(String(error_description), /client authentication \(Basic\)/);
});

test('RFC 6749 section 2.3: a client secret or assertion is not silently accepted', async () => {
  await using broker = await exchangeEndpoint();
  for (const bend of [{ client_secret: 'x' }, { client_assertion: 'x' }])
    assert.equal((await broker.post({ ...good, ...bend })).status, 400);
});

test('RFC 6749 section 3.2: what is no form and no JSON is refused, whatever it says', async () => {
  await using broker = await exchangeEndpoint();
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/xml']) {
    const answer = await broker.send(new URLSearchParams(good).toString(), { 'content-type': type });
    assert.deepEqual([answer.status, (await jsonOf(answer))['error']], [400, 'invalid_request'], type);
  }
});

test('RFC 6585 section 4 and RFC 9110 section 10.2.3: too many requests is 429 with whole seconds to wait', async () => {
  await using broker = await exchangeEndpoint({
    policy: ({ grants }) => Object.assign(grants[0] ?? {}, { rate: { count: 1, per: '1m' } }),
  });
  assert.equal((await broker.post(good)).status, 200);
  const answer = await broker.post(good);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '60');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
});

test('RFC 9110 section 15.6.4: an outage is 503 with whole seconds to wait, and no verdict', async () => {
  await using broker = await exchangeEndpoint();
  broker.world.outage.add('tables');
  const answer = await broker.post(good);
  assert.equal(answer.status, 503);
  assert.match(answer.headers.get('retry-after') ?? '', /^[0-9]+$/);
  assert.equal((await jsonOf(answer))['error'], 'temporarily_unavailable');
});

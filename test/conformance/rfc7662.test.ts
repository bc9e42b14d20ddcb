import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenIntrospection } from 'openid-client';
import { jsonOf } from './serve.ts';
import { brokerAndClient } from './token-endpoints.ts';

test('section 2.1: a stock client asks with a bearer token of its own', async () => {
  await using broker = await brokerAndClient();
  const answer = await tokenIntrospection(broker.config, 'issued');
  assert.equal(answer.active, true);
  assert.equal(answer.iss, 'https://broker.example.test');
});

test('section 2.1: without authorization nobody scans for tokens: 401', async () => {
  await using broker = await brokerAndClient('forged');
  await assert.rejects(tokenIntrospection(broker.config, 'issued'));
  assert.equal(broker.answers[0]?.status, 401);
  assert.match(broker.answers[0]?.headers.get('www-authenticate') ?? '', /^Bearer /);
});

test('section 2.2: JSON with a boolean `active`; times in whole seconds', async () => {
  await using broker = await brokerAndClient();
  const answer = await broker.post('/oauth2/introspect', 'token=issued');
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  const body = await jsonOf(answer);
  assert.equal(body['active'], true);
  for (const member of ['iat', 'exp']) assert.ok(Number.isInteger(body[member]));
});

test('section 2.2: an unknown, foreign or dead token is 200 and nothing but `active: false`', async () => {
  await using broker = await brokerAndClient();
  assert.deepEqual(await tokenIntrospection(broker.config, 'unknown'), { active: false });
  broker.world.advance(61_000);
  assert.deepEqual(await tokenIntrospection(broker.config, 'issued'), { active: false });
  for (const answer of broker.answers) assert.deepEqual(await answer.json(), { active: false });
});

test('section 2.1: an unknown hint does not hide the token', async () => {
  await using broker = await brokerAndClient();
  const answer = await tokenIntrospection(broker.config, 'issued', { token_type_hint: 'urn:made-up' });
  assert.equal(answer.active, true);
});

test('section 4: no cache keeps the answer', async () => {
  await using broker = await brokerAndClient();
  const answer = await broker.post('/oauth2/introspect', 'token=issued');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
});

test('section 2.3: a request without token is an invalid_request', async () => {
  await using broker = await brokerAndClient();
  const answer = await broker.post('/oauth2/introspect', 'token_type_hint=access_token');
  assert.equal(answer.status, 400);
  assert.equal((await jsonOf(answer))['error'], 'invalid_request');
});

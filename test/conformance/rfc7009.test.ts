import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenIntrospection, tokenRevocation } from 'openid-client';
import { createRevocationEndpoint } from '../../src/http/revocation.ts';
import { createRevocation } from '../../src/revocation/revocation.ts';
import { sha256 } from '../../src/secret.ts';
import { jsonOf, serve } from './serve.ts';
import { brokerAndClient } from './token-endpoints.ts';

test('section 2.1: a stock client revokes; the token is not active from then on', async () => {
  await using broker = await brokerAndClient();
  await tokenRevocation(broker.config, 'issued');
  assert.equal(broker.answers[0]?.status, 200);
  assert.deepEqual(await tokenIntrospection(broker.config, 'issued'), { active: false });
});

test('section 2.1: the caller is verified: 401', async () => {
  await using broker = await brokerAndClient('forged');
  await assert.rejects(tokenRevocation(broker.config, 'issued'));
  assert.equal(broker.answers[0]?.status, 401);
  assert.equal(broker.world.bumps, 0);
});

test('section 2.1: a wrong hint extends the search instead of ending it', async () => {
  await using broker = await brokerAndClient();
  await tokenRevocation(broker.config, 'issued', { token_type_hint: 'refresh_token' });
  assert.deepEqual(await tokenIntrospection(broker.config, 'issued'), { active: false });
});

test('section 2.2: an invalid token is 200, and so is revoking twice', async () => {
  await using broker = await brokerAndClient();
  await tokenRevocation(broker.config, 'never issued');
  await tokenRevocation(broker.config, 'issued');
  await tokenRevocation(broker.config, 'issued');
  assert.deepEqual(
    broker.answers.map(({ status }) => status),
    [200, 200, 200],
  );
});

test('RFC 6749 section 3.2: an empty second parameter counts as not sent; a second value does not', async () => {
  await using broker = await brokerAndClient();
  assert.equal((await broker.post('/oauth2/revoke', 'token=unknown&token=')).status, 200);
  assert.equal((await broker.post('/oauth2/revoke', 'token=unknown&token=other')).status, 400);
  const body = `token=unknown${'&x='.repeat(40)}`;
  assert.equal((await broker.post('/oauth2/revoke', body)).status, 400);
  const gzip = await broker.post('/oauth2/revoke', 'token=unknown', { 'content-encoding': 'gzip' });
  assert.equal(gzip.status, 415);
});

test('section 2.2.1: 503 with Retry-After says that the token still exists', async () => {
  await using broker = await brokerAndClient();
  broker.world.down.add('head');
  const answer = await broker.post('/oauth2/revoke', 'token=issued');
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.get('retry-after'));
  broker.world.down.delete('head');
  await tokenRevocation(broker.config, 'issued');
  assert.deepEqual(await tokenIntrospection(broker.config, 'issued'), { active: false });
});

test('section 2.2.1: a holder who drops one shared token after another hears 429, and the token still exists', async () => {
  await using broker = await brokerAndClient();
  const [record] = broker.world.issued.values();
  assert.ok(record);
  for (const name of ['one', 'two', 'three', 'four'])
    broker.world.issued.set(sha256(name), { ...record, sha256: sha256(name), user: undefined });
  for (const name of ['one', 'two', 'three', 'two'])
    assert.equal((await broker.post('/oauth2/revoke', `token=${name}`)).status, 200);
  const answer = await broker.post('/oauth2/revoke', 'token=four');
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '60');
  assert.equal((await jsonOf(answer))['error'], 'temporarily_unavailable');
  assert.equal((await tokenIntrospection(broker.config, 'four')).active, true);
});

test('section 2.2.1: a token that cannot be revoked here is unsupported_token_type', async () => {
  await using broker = await brokerAndClient();
  const { deps } = broker.world;
  const [record] = broker.world.issued.values();
  assert.ok(record);
  broker.world.issued.set(record.sha256, { ...record, tokenKind: 'entra', user: undefined });
  const resources = deps.policy().resources.map((each) => ({
    ...each,
    identity: { kind: 'systemAssigned' as const },
  }));
  const { admit, issued } = createRevocation({ ...deps, policy: () => ({ ...deps.policy(), resources }) });
  await using server = await serve({ 'POST /oauth2/revoke': createRevocationEndpoint({ admit, issued }) });
  const answer = await fetch(`${server.url}/oauth2/revoke`, {
    method: 'POST',
    headers: { authorization: 'Bearer good', 'content-type': 'application/x-www-form-urlencoded' },
    body: 'token=issued',
  });
  assert.equal(answer.status, 400);
  assert.equal((await jsonOf(answer))['error'], 'unsupported_token_type');
});

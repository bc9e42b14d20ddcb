import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEntraTokens } from '../../src/azure/entra-tokens.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { type Answered, type Asked, startUpstream } from './upstream-server.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const SCOPE = 'https://cognitiveservices.azure.com/.default';
const CLAIMS = '{"access_token":{"polids":{"essential":true,"values":["9ab03e19"]}}}';

async function world(answer: (asked: Asked) => Answered) {
  const upstream = await startUpstream(answer);
  const identities: string[] = [];
  const tokens = createEntraTokens({
    authority: upstream.url,
    tenantId: TENANT,
    clientId: 'the-broker',
    issuerIdentity: 'the-issuer',
    federationScope: 'api://AzureADTokenExchange/.default',
    identityToken: async (scope, clientId) => {
      identities.push(`${clientId} ${scope}`);
      return { token: 'assertion', expiresOnTimestamp: NOW_MS + 86_400_000 };
    },
    clock: () => NOW_MS,
  });
  return { tokens, identities, upstream, [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose]() };
}
const granting = (): Answered => ({
  status: 200,
  body: { token_type: 'Bearer', expires_in: 3599, access_token: 'entra-token' },
});
const refusing =
  (error: string, more: object = {}) =>
  (): Answered => ({
    status: 400,
    body: { error, error_description: 'AADSTS50079: secret words', error_codes: [50079], ...more },
  });
const failureOf = async (work: Promise<unknown>): Promise<UpstreamFailure> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpstreamFailure, String(error));
  assert.ok(!String(error.stack).includes('secret words'));
  return error;
};

test('by application: client credentials, proven by the token of the federated identity', async () => {
  await using w = await world(granting);
  const issued = await w.tokens.byApplication(SCOPE);
  assert.equal(issued.token.reveal(), 'entra-token');
  assert.equal(issued.expiresAtMs, NOW_MS + 3_599_000);
  assert.deepEqual(w.identities, ['the-issuer api://AzureADTokenExchange/.default']);
  const [asked] = w.upstream.asked;
  assert.equal(asked?.path, `/${TENANT}/oauth2/v2.0/token`);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(asked?.body)), {
    grant_type: 'client_credentials',
    scope: SCOPE,
    client_id: 'the-broker',
    client_assertion: 'assertion',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  });
});

test('on behalf of: the user token as assertion, and no refresh token asked for', async () => {
  await using w = await world(granting);
  const issued = await w.tokens.onBehalfOf(SCOPE, new Secret('user-token'));
  assert.ok('token' in issued);
  const form = Object.fromEntries(new URLSearchParams(w.upstream.asked[0]?.body));
  assert.equal(form['grant_type'], 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  assert.equal(form['requested_token_use'], 'on_behalf_of');
  assert.equal(form['assertion'], 'user-token');
  assert.equal(form['scope'], SCOPE, 'no offline_access');
});

test('a Conditional Access refusal comes back with its claims, untouched', async () => {
  await using w = await world(refusing('interaction_required', { claims: CLAIMS }));
  assert.deepEqual(await w.tokens.onBehalfOf(SCOPE, new Secret('u')), {
    refused: 'interaction_required',
    claims: CLAIMS,
  });
  assert.equal(w.upstream.asked.length, 1, 'asked once');
});

test('a user token that Entra does not take is a refusal, not an outage', async () => {
  await using w = await world(refusing('invalid_grant'));
  assert.deepEqual(await w.tokens.onBehalfOf(SCOPE, new Secret('u')), {
    refused: 'invalid_grant',
    claims: undefined,
  });
});

test("what is wrong with our own registration is an outage, never the caller's fault", async () => {
  for (const error of ['invalid_client', 'unauthorized_client', 'invalid_scope', 'invalid_resource']) {
    await using w = await world(refusing(error));
    assert.equal((await failureOf(w.tokens.onBehalfOf(SCOPE, new Secret('u')))).status, 400, error);
  }
  for (const error of ['invalid_grant', 'interaction_required', 'invalid_client']) {
    await using w = await world(refusing(error));
    assert.equal((await failureOf(w.tokens.byApplication(SCOPE))).service, 'entra', error);
  }
});

test('an outage, a throttle and garbage are outages', async () => {
  for (const [answer, status] of [
    [{ status: 503, headers: { 'retry-after': '30' } }, 503],
    [{ status: 429, headers: { 'retry-after': '30' } }, 429],
    [{ status: 401, body: { error: 'invalid_client' } }, 401],
    [{ status: 200, body: '<html>' }, 0],
    [{ status: 200, body: { access_token: '' } }, 0],
    [{ status: 200, body: { access_token: 'x', expires_in: 'long' } }, 0],
    [{ status: 400, body: '<html>' }, 0],
    ['drops', 0],
  ] as [Answered, number][]) {
    await using w = await world(() => answer);
    const failure = await failureOf(w.tokens.byApplication(SCOPE));
    assert.equal(failure.status, status);
    if (status === 429 || status === 503) assert.equal(failure.retryAfterSeconds, 30);
  }
});

test("a managed identity's token comes from that identity, with its own end", async () => {
  await using w = await world(granting);
  const own = await w.tokens.byManagedIdentity(SCOPE, undefined);
  await w.tokens.byManagedIdentity(SCOPE, 'reader');
  assert.equal(own.expiresAtMs, NOW_MS + 86_400_000);
  assert.deepEqual(w.identities, [`undefined ${SCOPE}`, `reader ${SCOPE}`]);
  assert.equal(w.upstream.asked.length, 0);
});

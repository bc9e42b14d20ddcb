/** OAuth 2.0 Token Exchange, by section. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationClaims, BROKER, goodHeader, signed } from '../exchange/entra-token.ts';
import { ACCESS_TOKEN, exchangeEndpoint, good, JWT, subjectToken } from './exchange-endpoint.ts';
import { jsonOf } from './serve.ts';

async function refusal(answer: Response): Promise<string> {
  assert.equal(answer.status, 400);
  const { error, ...rest } = await jsonOf(answer);
  assert.ok(!('access_token' in rest));
  return String(error);
}

test('RFC 8693 section 2.1: grant_type, subject_token and subject_token_type are required', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal((await broker.post(good)).status, 200);
  assert.equal(await refusal(await broker.post({ ...good, grant_type: undefined })), 'invalid_request');
  assert.equal(await refusal(await broker.post({ ...good, subject_token: undefined })), 'invalid_request');
  assert.equal(
    await refusal(await broker.post({ ...good, subject_token_type: undefined })),
    'invalid_request',
  );
});

test('RFC 8693 section 2.1: the target is named by resource or by audience; RFC 8707: one that may not be had is invalid_target', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal((await broker.post({ ...good, resource: undefined, audience: 'speech' })).status, 200);
  assert.equal(
    await refusal(await broker.post({ ...good, resource: 'https://chat.example' })),
    'invalid_target',
  );
  assert.equal(
    await refusal(await broker.post({ ...good, resource: 'https://unknown.example' })),
    'invalid_target',
  );
});

test('RFC 8693 section 2.1: a resource with a fragment is no target', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal(
    await refusal(await broker.post({ ...good, resource: 'https://speech.example#x' })),
    'invalid_target',
  );
});

test('RFC 8693 section 2.1: resource and audience may be repeated; more targets than one are not served', async () => {
  await using broker = await exchangeEndpoint();
  const two = ['https://speech.example', 'https://chat.example'];
  assert.equal(await refusal(await broker.post({ ...good, resource: two })), 'invalid_request');
  assert.equal(await refusal(await broker.post({ ...good, audience: 'chat' })), 'invalid_target');
});

test('RFC 8693 section 2.1: resource and audience together may name one target, however each is spelled', async () => {
  await using broker = await exchangeEndpoint();
  for (const audience of ['speech', 'https://SPEECH.example/', 'https://westeurope.example'])
    assert.equal((await broker.post({ ...good, audience })).status, 200, audience);
});

test('RFC 8693 section 2.1: actor_token_type must not come without actor_token; neither is supported', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal(await refusal(await broker.post({ ...good, actor_token_type: JWT })), 'invalid_request');
  const both = { actor_token: subjectToken, actor_token_type: JWT };
  assert.equal(await refusal(await broker.post({ ...good, ...both })), 'invalid_request');
});

test('RFC 8693 section 2.1: a requested token type that is not issued here is refused', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal((await broker.post({ ...good, requested_token_type: ACCESS_TOKEN })).status, 200);
  assert.equal((await broker.post({ ...good, requested_token_type: JWT })).status, 200);
  for (const type of ['refresh_token', 'id_token', 'saml1', 'saml2']) {
    const requested_token_type = `urn:ietf:params:oauth:token-type:${type}`;
    assert.equal(
      await refusal(await broker.post({ ...good, requested_token_type })),
      'invalid_request',
      type,
    );
  }
});

test('RFC 8693 section 2.2.1: a grant is 200 JSON with access_token, issued_token_type and token_type, not cached', async () => {
  await using broker = await exchangeEndpoint();
  const answer = await broker.post(good);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
  const body = await jsonOf(answer);
  assert.ok(typeof body['access_token'] === 'string' && body['access_token'].length > 0);
  assert.equal(body['issued_token_type'], ACCESS_TOKEN);
  assert.equal(body['token_type'], 'Bearer');
  assert.ok(Number.isInteger(body['expires_in']) && Number(body['expires_in']) > 0);
  assert.ok(!('refresh_token' in body));
});

test('RFC 8693 section 2.2.2: a subject token that is not valid is invalid_request, not invalid_grant', async () => {
  await using broker = await exchangeEndpoint();
  for (const subject_token of ['x', `${subjectToken}x`, `${subjectToken.slice(0, -4)}AAAA`])
    assert.equal(await refusal(await broker.post({ ...good, subject_token })), 'invalid_request');
});

test('RFC 8693 section 2.2.2: the description says what the holder of the subject token can read in it, and what to get', async () => {
  await using broker = await exchangeEndpoint();
  const told = async (subject_token: string): Promise<unknown> =>
    (await jsonOf(await broker.post({ ...good, subject_token })))['error_description'];
  const bent = (claims: object): string => signed(goodHeader, { ...applicationClaims, ...claims });
  assert.equal(await told(bent({ exp: 1 })), 'subject_token has expired: get a new one from Entra');
  assert.equal(
    await told(bent({ aud: 'https://graph.microsoft.com' })),
    `subject_token is for another audience: its aud must be ${BROKER}`,
  );
  assert.equal(
    await told(bent({ tid: '00000000-0000-4000-8000-0000000000ee' })),
    "subject_token is not accepted: it is not of the broker's own tenant, and of other tenants only those that the policy names may call",
  );
  assert.equal(await told('x'), 'subject_token cannot be read: it must be a signed JWT, as Entra issues it');
  assert.equal(await told(bent({ roles: [] })), 'subject_token is not accepted');
});

test('RFC 8693 section 2.2.2: the error answer is that of RFC 6749 section 5.2', async () => {
  await using broker = await exchangeEndpoint();
  const answer = await broker.post({ ...good, resource: 'https://chat.example' });
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
  const { error, error_description, correlation_id, ...rest } = await jsonOf(answer);
  assert.deepEqual(
    [error, typeof error_description, typeof correlation_id],
    ['invalid_target', 'string', 'string'],
  );
  assert.deepEqual(rest, {});
});

test('RFC 8693 section 3: an Entra token may be called an access token or a JWT, and nothing else', async () => {
  await using broker = await exchangeEndpoint();
  assert.equal((await broker.post({ ...good, subject_token_type: JWT })).status, 200);
  for (const type of ['refresh_token', 'id_token', 'saml1', 'saml2']) {
    const subject_token_type = `urn:ietf:params:oauth:token-type:${type}`;
    assert.equal(await refusal(await broker.post({ ...good, subject_token_type })), 'invalid_request', type);
  }
});

test('RFC 8693 section 2.1: the exchange leaves the subject token as it was: it may be exchanged again', async () => {
  await using broker = await exchangeEndpoint();
  for (let left = 3; left > 0; left -= 1) assert.equal((await broker.post(good)).status, 200);
});

/** The nine shapes of a request that gateways and stock clients send: each has its answer, and the README the reason. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ACCESS_TOKEN, exchangeEndpoint, good, JWT } from '../conformance/exchange-endpoint.ts';
import { jsonOf } from '../conformance/serve.ts';
import { encode } from '../exchange/entra-token.ts';

interface Shape {
  readonly what: string;
  readonly members: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** `issued_token_type` of a token, or the error and what its description says. */
  readonly answer: { readonly issued: string } | { readonly error: string; readonly says: RegExp };
  readonly status: number;
}
const SCOPE = 'https://cognitiveservices.azure.com';
const SHAPES: readonly Shape[] = [
  { what: 'plain', members: good, status: 200, answer: { issued: ACCESS_TOKEN } },
  {
    what: 'HTTP Basic',
    members: good,
    headers: { authorization: `Basic ${Buffer.from('gateway:secret').toString('base64')}` },
    status: 401,
    answer: { error: 'invalid_client', says: /Basic/ },
  },
  {
    what: '`client_secret`',
    members: { ...good, client_id: 'gateway', client_secret: 'secret' },
    status: 400,
    answer: { error: 'invalid_client', says: /client_secret/ },
  },
  {
    what: '`client_assertion`',
    members: {
      ...good,
      client_assertion: 'a.b.c',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    },
    status: 400,
    answer: { error: 'invalid_client', says: /client_assertion/ },
  },
  {
    what: '`actor_token`',
    members: { ...good, actor_token: 'a.b.c', actor_token_type: ACCESS_TOKEN },
    status: 400,
    answer: { error: 'invalid_request', says: /actor_token is not taken/ },
  },
  {
    what: '`audience` with `resource`',
    members: { ...good, audience: 'speech' },
    status: 200,
    answer: { issued: ACCESS_TOKEN },
  },
  {
    what: '`requested_token_type` jwt',
    members: { ...good, requested_token_type: JWT },
    status: 200,
    answer: { issued: JWT },
  },
  {
    what: '`subject_token_type` id_token',
    members: { ...good, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
    status: 400,
    answer: { error: 'invalid_request', says: /id_token: an ID token .* send an access token/ },
  },
  {
    what: 'several spellings of `scope`',
    members: {
      ...good,
      scope: `${SCOPE}/.default ${SCOPE}//.default ${SCOPE}/ https://speech.example/.default`,
    },
    status: 200,
    answer: { issued: ACCESS_TOKEN },
  },
];

/** The tokens of the world are plain texts; Azure's are JWTs. */
const jwt = `${encode({ alg: 'RS256' })}.${encode({ sub: 'account' })}.c2lnbmF0dXJl`;
async function azuresEndpoint() {
  const broker = await exchangeEndpoint();
  broker.world.stsToken = jwt;
  return broker;
}

for (const { what, members, headers = {}, status, answer } of SHAPES)
  test(`${what}: ${'issued' in answer ? 'a token' : answer.error}`, async () => {
    await using broker = await azuresEndpoint();
    const response = await broker.post(members, headers);
    const body = await jsonOf(response);
    assert.equal(response.status, status, JSON.stringify(body));
    if ('issued' in answer) {
      assert.deepEqual([body['issued_token_type'], body['access_token']], [answer.issued, jwt]);
      return;
    }
    assert.equal(body['error'], answer.error);
    assert.match(String(body['error_description']), answer.says);
    assert.ok(!JSON.stringify(body).includes('secret"'), 'no secret comes back');
    assert.equal(broker.world.calls.issueToken, 0, 'nothing was bought');
  });

test('the README has a row for each shape, with its answer', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const { what, status } of SHAPES) {
    const row = readme.split('\n').find((line) => line.startsWith(`| ${what} |`));
    assert.ok(row?.includes(`| ${status} `), `${what}: ${row}`);
  }
});

test('a token that is no JWT is never called one', async () => {
  await using broker = await exchangeEndpoint();
  const body = await jsonOf(await broker.post({ ...good, requested_token_type: JWT }));
  assert.equal(body['issued_token_type'], ACCESS_TOKEN);
});

test('a scope of anything else is refused, alone or beside a spelling of the right one', async () => {
  await using broker = await exchangeEndpoint();
  const others = [
    'https://chat.example/.default',
    'https://ai.azure.com/.default',
    `${SCOPE}/.default openid`,
    `${SCOPE}/user_impersonation`,
    `${SCOPE}.evil/.default`,
    '/.default',
  ];
  for (const scope of others) {
    const response = await broker.post({ ...good, scope });
    assert.deepEqual([response.status, (await jsonOf(response))['error']], [400, 'invalid_scope'], scope);
  }
  const twice = await broker.post({ ...good, scope: [`${SCOPE}/.default`, `${SCOPE}/.default`] });
  assert.deepEqual([twice.status, (await jsonOf(twice))['error']], [400, 'invalid_request']);
});

test('an audience of another account is answered as a target that is not there, whichever of the two exists', async () => {
  await using broker = await exchangeEndpoint();
  const answers = await Promise.all(
    [
      { resource: 'speech', audience: 'chat' },
      { resource: 'speech', audience: 'nowhere' },
      { resource: 'nowhere', audience: 'speech' },
      { resource: 'nowhere', audience: 'nowhere-else' },
      { resource: 'chat', audience: 'https://chat.example' },
      { resource: 'nowhere', audience: undefined },
    ].map(async (named) => {
      const response = await broker.post({ ...good, ...named });
      const { correlation_id: _, ...body } = await jsonOf(response);
      return [response.status, body];
    }),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
});

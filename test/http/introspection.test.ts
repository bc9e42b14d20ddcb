import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createIntrospectionEndpoint } from '../../src/http/introspection.ts';
import { createRevocationEndpoint } from '../../src/http/revocation.ts';
import { sha256 } from '../../src/secret.ts';
import { caller, createWorld, HOME, revokeBy, START_MS, USER, type World } from '../revocation/fakes.ts';
import { FORM, form, request } from './requests.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
  world.verified.set('good', caller());
  world.verified.set('stranger', caller({ groups: [] }));
  world.issued.set(sha256('issued'), {
    sha256: sha256('issued'),
    resource: 'aoai',
    tokenKind: 'obo',
    epoch: undefined,
    user: { tenantId: HOME, objectId: USER },
    issuedAtMs: START_MS - 60_000,
    expiresAtMs: START_MS + 60_000,
  });
});
const endpoints = {
  introspect: () =>
    createIntrospectionEndpoint({
      admit: world.revocation.admit,
      issued: world.revocation.issued,
      issuer: 'https://broker.example.test',
      endpointOf: () => 'https://aoai-prod.openai.azure.com',
    }),
  revoke: () => createRevocationEndpoint({ admit: world.revocation.admit, issued: world.revocation.issued }),
};
async function post(
  which: keyof typeof endpoints,
  body: string,
  headers: Record<string, string> = { authorization: 'Bearer good' },
) {
  const answer = await endpoints[which]()(
    request('POST', `/oauth2/${which}`, { body, headers: { ...FORM, ...headers } }),
  );
  return { status: answer.status, headers: answer.headers as Record<string, string>, json: answer.jsonBody };
}

test('credentials that hold no Bearer token are answered with a challenge (RFC 6750 section 3)', async () => {
  for (const which of ['introspect', 'revoke'] as const) {
    const { status, headers } = await post(which, form({ token: 'issued' }), { authorization: 'Basic Zm9v' });
    assert.equal(status, 400);
    assert.match(headers['www-authenticate'] ?? '', /^Bearer realm=.*error="invalid_request"$/);
  }
});

describe('introspection', () => {
  test('an active token: whose, where, until when', async () => {
    const { status, json, headers } = await post('introspect', form({ token: 'issued' }));
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'no-store');
    assert.deepEqual(json, {
      active: true,
      token_type: 'Bearer',
      iss: 'https://broker.example.test',
      aud: 'https://aoai-prod.openai.azure.com',
      sub: USER,
      tid: HOME,
      iat: START_MS / 1000 - 60,
      exp: START_MS / 1000 + 60,
      resource: 'aoai',
      token_kind: 'obo',
    });
  });

  test('about every other token the answer is the same, and carries nothing else', async () => {
    const answers = [
      await post('introspect', form({ token: 'unknown' })),
      await post('introspect', form({ token: 'issued' }), { authorization: 'Bearer stranger' }),
    ];
    world.advance(61_000);
    answers.push(await post('introspect', form({ token: 'issued' })));
    for (const { status, json } of answers) assert.deepEqual([status, json], [200, { active: false }]);
  });
});

describe('revocation', () => {
  test('says until when Azure goes on accepting what was dropped', async () => {
    const { status, json } = await post('revoke', form({ token: 'issued' }));
    assert.equal(status, 200);
    assert.equal(
      (json as Record<string, unknown>)['accepted_by_azure_until'],
      new Date(START_MS + 60_000).toISOString(),
    );
    assert.deepEqual((await post('introspect', form({ token: 'issued' }))).json, { active: false });
  });

  test('of what is unknown or not the caller’s is 200 with nothing in it', async () => {
    for (const [token, who] of [
      ['unknown', 'good'],
      ['issued', 'stranger'],
    ] as const) {
      const { status, json } = await post('revoke', form({ token }), { authorization: `Bearer ${who}` });
      assert.deepEqual([status, json], [200, {}]);
    }
    assert.equal(world.bumps, 0);
  });
});

for (const which of ['introspect', 'revoke'] as const)
  describe(`both, here ${which}`, () => {
    test('nobody without an accepted token: 401, and without credentials no error code', async () => {
      const none = await endpoints[which]()(
        request('POST', '/', { body: form({ token: 'issued' }), headers: FORM }),
      );
      const challenge = (none.headers as Record<string, string>)['www-authenticate'];
      assert.deepEqual([none.status, challenge], [401, 'Bearer realm="azure-ai-token-broker"']);
      const forged = await post(which, form({ token: 'issued' }), { authorization: 'Bearer forged' });
      assert.equal(forged.status, 401);
      assert.match(forged.headers['www-authenticate'] ?? '', /error="invalid_token"/);
    });

    test('a caller that was revoked is not accepted', async () => {
      await revokeBy(world, { scope: { kind: 'user', tenantId: HOME, objectId: USER } }, 'o');
      assert.equal((await post(which, form({ token: 'issued' }))).status, 401);
    });

    test('what is not one form with one token is invalid_request', async () => {
      for (const [body, headers] of [
        ['', {}],
        [form({ token: '' }), {}],
        ['token=a&token=b', {}],
        ['token=a&token_type_hint=x&token_type_hint=y', {}],
        ['{"token":"issued"}', { 'content-type': 'application/json' }],
        [form({ token: 'issued' }), { authorization: 'Bearer good, Bearer good' }],
        [form({ token: 'issued' }), { authorization: 'Basic Zm9vOmJhcg==' }],
      ] as const) {
        const { status, json } = await post(which, body, { authorization: 'Bearer good', ...headers });
        assert.deepEqual(
          [status, (json as { error: string }).error],
          [400, 'invalid_request'],
          body.slice(0, 30),
        );
      }
    });

    test('any hint about the kind of token is ignored', async () => {
      const { status, json } = await post(which, form({ token: 'issued', token_type_hint: 'refresh_token' }));
      assert.equal(status, 200);
      assert.notDeepEqual(json, which === 'revoke' ? {} : { active: false });
    });

    test('an outage is 503 with Retry-After', async () => {
      world.down.add('tables');
      const { status, headers } = await post(which, form({ token: 'issued' }));
      assert.equal(status, 503);
      assert.ok(Number(headers['retry-after']) > 0);
    });
  });

/** The simulated Entra, held to the fact sheet and driven by the real SDK. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ClientAssertionCredential, ClientSecretCredential, OnBehalfOfCredential } from '@azure/identity';
import { createRemoteJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import * as demo from '../../../src/local/simulated/demo-directory.ts';
import type { RunningAzure } from '../../../src/local/simulated/start.ts';
import {
  askToken,
  callerToken,
  claimsOf,
  control,
  headerOf,
  identityToken,
  startTestAzure,
  type TestAzure,
  type TokenAnswer,
} from './fabric-azure.ts';

const aiScope = 'https://cognitiveservices.azure.com/.default';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const onBehalfOf = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
let stand: TestAzure;
let azure: RunningAzure;
before(async () => {
  stand = await startTestAzure();
  azure = stand.azure;
});
after(() => stand.close());

async function json<T>(path: string): Promise<T> {
  const answer = await fetch(`${azure.entra.authority}${path}`);
  assert.equal(answer.status, 200);
  return (await answer.json()) as T;
}
/** The broker's proof: a token of the identity it is federated to. */
async function assertion(clientId = azure.issuerIdentity): Promise<string> {
  return (await identityToken(azure, 'api://AzureADTokenExchange', { client_id: clientId })).access_token;
}
function refused(answer: TokenAnswer, status: number, error: string, code: number): void {
  assert.deepEqual([answer.status, answer.error, answer.error_codes], [status, error, [code]]);
  assert.match(
    answer.error_description ?? '',
    new RegExp(
      `^AADSTS${code}: .+ Trace ID: \\S+ Correlation ID: \\S+ Timestamp: \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$`,
    ),
  );
}

suite('discovery', () => {
  const home = demo.tenantId;
  const issuers: [string, string, string, boolean][] = [
    [`/${home}/v2.0`, `/${home}/v2.0`, `/${home}/discovery/v2.0/keys`, true],
    ['/common/v2.0', '/{tenantid}/v2.0', '/common/discovery/v2.0/keys', true],
    [`/${home}`, `https://sts.windows.net/${home}/`, `/${home}/discovery/keys`, false],
    ['/common', 'https://sts.windows.net/{tenantid}/', '/common/discovery/keys', false],
  ];
  for (const [path, issuer, keys, keysNameIssuer] of issuers) {
    test(`${path.replace(home, '{home}')} says its issuer and where its keys are`, async () => {
      const document = await json<{ issuer: string; jwks_uri: string }>(
        `${path}/.well-known/openid-configuration`,
      );
      const { authority } = azure.entra;
      assert.equal(document.issuer, issuer.startsWith('/') ? authority + issuer : issuer);
      assert.equal(document.jwks_uri, authority + keys);
      const set = await json<{ keys: Record<string, string>[] }>(keys);
      assert.equal(set.keys.length, 1);
      const [key] = set.keys;
      assert.deepEqual([key?.['kty'], key?.['use'], key?.['e']], ['RSA', 'sig', 'AQAB']);
      assert.equal(key?.['issuer'], keysNameIssuer ? `${authority}/{tenantid}/v2.0` : undefined);
      assert.equal(key?.['d'], undefined, 'the private part stays private');
    });
  }

  test('a tenant that does not exist is told as Entra tells it', async () => {
    const answer = await fetch(`${azure.entra.authority}/nowhere/v2.0/.well-known/openid-configuration`);
    refused(
      { ...((await answer.json()) as TokenAnswer), status: answer.status },
      400,
      'invalid_request',
      90002,
    );
  });
});

suite('access tokens', () => {
  const user = { grant_type: 'password', username: 'ada@example.test', password: 'local-ada' };

  test('v2 for an application: the claims of the fact sheet, verified by jose', async () => {
    const token = await callerToken(azure, 'captions');
    const { authority } = azure.entra;
    const keys = createRemoteJWKSet(new URL(`${authority}/${demo.tenantId}/discovery/v2.0/keys`));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: `${authority}/${demo.tenantId}/v2.0`,
      audience: demo.brokerClientId,
    });
    const { aio, rh, uti, iat, nbf, exp, ...claims } = payload;
    for (const opaque of [aio, rh, uti]) assert.match(String(opaque), /^[\w.-]{16,}$/);
    assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
    assert.equal(nbf, iat);
    assert.ok(Math.abs(Number(iat) - stand.now() / 1000) < 5);
    assert.ok(Number(exp) - Number(iat) >= 3600 && Number(exp) - Number(iat) <= 5400);
    const captions = azure.callers.find(({ name }) => name === 'captions');
    assert.deepEqual(claims, {
      aud: demo.brokerClientId,
      iss: `${authority}/${demo.tenantId}/v2.0`,
      azp: captions?.clientId,
      azpacr: '1',
      idtyp: 'app',
      oid: captions?.objectId,
      sub: captions?.objectId,
      roles: ['Token.Exchange'],
      tid: demo.tenantId,
      ver: '2.0',
    });
  });

  test('v2 for a user: scp and groups, a pairwise sub, no app role', async () => {
    const claims = claimsOf(await callerToken(azure, 'ada'));
    assert.deepEqual(
      [claims['idtyp'], claims['scp'], claims['groups'], claims['roles'], claims['azpacr']],
      ['user', 'Token.Exchange', [demo.researchers], undefined, '0'],
    );
    assert.equal(claims['preferred_username'], 'ada@example.test');
    assert.notEqual(claims['sub'], claims['oid']);
  });

  test('a scope that a user asks for by its name is the one in the token; an application has none', async () => {
    const { operatorScope } = azure.entra;
    assert.equal(operatorScope, `${demo.brokerUri}/Broker.Operate`);
    assert.equal(claimsOf(await callerToken(azure, 'ada', operatorScope))['scp'], 'Broker.Operate');
    const operator = claimsOf(await callerToken(azure, 'operator', operatorScope));
    assert.deepEqual([operator['scp'], operator['roles']], [undefined, ['Broker.Operator']]);
  });

  test('v1 where the API takes v1: issuer with its slash, appid and appidacr, the audience as asked, x5t', async () => {
    const captions = azure.callers.find(({ name }) => name === 'captions');
    for (const name of ['captions', 'ada']) {
      const token = await callerToken(azure, name, `${demo.brokerV1Uri}/.default`);
      const claims = claimsOf(token);
      assert.deepEqual(
        [claims['ver'], claims['aud'], claims['iss'], claims['azp']],
        ['1.0', demo.brokerV1Uri, `https://sts.windows.net/${demo.tenantId}/`, undefined],
      );
      if (name === 'captions')
        assert.deepEqual([claims['appid'], claims['appidacr']], [captions?.clientId, '1']);
      else assert.deepEqual([claims['scp'], claims['unique_name']], ['Token.Exchange', 'ada@example.test']);
      assert.equal(headerOf(token)['x5t'], headerOf(token)['kid']);
    }
  });

  const scopes: [string, string][] = [
    ['api://someone-else/.default', 'api://someone-else'],
    [aiScope, 'https://cognitiveservices.azure.com'],
    ['https://ai.azure.com/.default', 'https://ai.azure.com'],
    ['https://vault.azure.net//.default', 'https://vault.azure.net/'],
    ['openid profile https://graph.microsoft.com/User.Read', 'https://graph.microsoft.com'],
    [`${demo.brokerClientId}/.default`, demo.brokerClientId],
    ['api://ai-token-broker/Token.Exchange offline_access', demo.brokerClientId],
  ];
  for (const [scope, audience] of scopes) {
    test(`a token is issued for any scope asked: ${scope}`, async () => {
      assert.equal(claimsOf(await callerToken(azure, 'captions', scope))['aud'], audience);
    });
  }

  test('elsewhere than at the broker a token carries no role of the broker', async () => {
    const claims = claimsOf(await callerToken(azure, 'operator', aiScope));
    assert.equal(claims['roles'], undefined);
    assert.deepEqual(claimsOf(await callerToken(azure, 'operator'))['roles'], ['Broker.Operator']);
  });

  test('a managed identity as caller shows its resource id', async () => {
    assert.match(
      String(claimsOf(await callerToken(azure, 'nightly'))['xms_mirid']),
      /userAssignedIdentities\/id-nightly$/,
    );
  });

  test('a client that understands claims challenges has it in its token, and only then', async () => {
    const client_id = azure.callers.find(({ name }) => name === 'ada')?.clientId ?? '';
    const form = { ...user, client_id, scope: azure.entra.scope };
    const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } });
    assert.deepEqual(claimsOf((await askToken(azure, { ...form, claims })).access_token)['xms_cc'], ['cp1']);
    assert.equal(claimsOf((await askToken(azure, form)).access_token)['xms_cc'], undefined);
    assert.equal((await askToken(azure, { ...form, claims: 'not json' })).status, 200);
  });

  test('more than 200 groups are not in the token: it says where they could be read', async () => {
    const client_id = azure.callers.find(({ name }) => name === 'ada')?.clientId ?? '';
    const hedy = { ...user, username: 'hedy@example.test', password: 'local-hedy' };
    const claims = claimsOf(
      (await askToken(azure, { ...hedy, client_id, scope: azure.entra.scope })).access_token,
    );
    assert.equal(claims['groups'], undefined);
    assert.deepEqual(claims['_claim_names'], { groups: 'src1' });
    assert.match(JSON.stringify(claims['_claim_sources']), /graph\.windows\.net.*getMemberObjects/);
  });

  test('every caller of the description gets a token the way its description says', async () => {
    for (const { name, objectId, tenantId } of azure.callers) {
      const claims = claimsOf(await callerToken(azure, name));
      assert.deepEqual([claims['oid'], claims['tid']], [objectId, tenantId], name);
    }
  });

  test('the SDK gets one by secret', async () => {
    const captions = azure.callers.find(({ name }) => name === 'captions');
    const credential = new ClientSecretCredential(
      demo.tenantId,
      captions?.clientId ?? '',
      captions?.clientSecret ?? '',
      {
        authorityHost: azure.entra.authority,
        disableInstanceDiscovery: true,
      },
    );
    const { token } = await credential.getToken(azure.entra.scope);
    assert.equal(claimsOf(token)['oid'], captions?.objectId);
  });
});

suite('refusals of the token endpoint', () => {
  const captions = demo.callers.find(({ name }) => name === 'captions');
  const good = {
    grant_type: 'client_credentials',
    client_id: captions?.clientId ?? '',
    client_secret: captions?.clientSecret ?? '',
    scope: aiScope,
  };
  const password = {
    grant_type: 'password',
    client_id: demo.callers.find(({ name }) => name === 'ada')?.clientId ?? '',
    username: 'ada@example.test',
    password: 'local-ada',
    scope: aiScope,
  };
  const { client_secret: _, ...noSecret } = good;
  const cases: [string, Record<string, string>, number, string, number][] = [
    ['no grant type', { ...good, grant_type: '' }, 400, 'invalid_request', 900144],
    ['another grant type', { ...good, grant_type: 'device_code' }, 400, 'unsupported_grant_type', 70003],
    ['no scope', { ...good, scope: 'openid' }, 400, 'invalid_request', 900144],
    ['no client', { ...good, client_id: '' }, 400, 'invalid_request', 900144],
    ['an unknown client', { ...good, client_id: demo.tenantId }, 400, 'unauthorized_client', 700016],
    ['a wrong secret', { ...good, client_secret: 'guess' }, 401, 'invalid_client', 7000215],
    ['no secret', noSecret, 401, 'invalid_client', 7000218],
    [
      "a confidential client without its secret, with a user's password",
      { ...password, client_id: good.client_id },
      401,
      'invalid_client',
      7000218,
    ],
    ['a wrong password', { ...password, password: 'guess' }, 400, 'invalid_grant', 50126],
    ['an unknown user', { ...password, username: 'eve@example.test' }, 400, 'invalid_grant', 50034],
  ];
  for (const [what, form, status, error, code] of cases) {
    test(`${what}: ${error}, AADSTS${code}`, async () => {
      assert.equal((await askToken(azure, good)).status, 200);
      refused(await askToken(azure, form), status, error, code);
    });
  }

  test('a secret may be shown as Basic credentials', async () => {
    const basic = Buffer.from(`${good.client_id}:${encodeURIComponent(good.client_secret)}`).toString(
      'base64',
    );
    const answer = await fetch(`${azure.entra.authority}/${demo.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: aiScope }),
    });
    assert.equal(answer.status, 200);
  });
});

suite('a federated application', () => {
  const form = (client_assertion: string, client_id = demo.brokerClientId) => ({
    grant_type: 'client_credentials',
    client_id,
    client_assertion_type: assertionType,
    client_assertion,
    scope: aiScope,
  });

  test("the SDK gets a token with the identity's token as its proof", async () => {
    const credential = new ClientAssertionCredential(demo.tenantId, demo.brokerClientId, () => assertion(), {
      authorityHost: azure.entra.authority,
      disableInstanceDiscovery: true,
    });
    const claims = claimsOf((await credential.getToken(aiScope)).token);
    assert.deepEqual(
      [claims['aud'], claims['appid'], claims['appidacr'], claims['oid'], claims['idtyp']],
      ['https://cognitiveservices.azure.com', demo.brokerClientId, '2', demo.brokerApp.objectId, 'app'],
    );
  });

  test('the assertion is a v2 token of the home tenant whose sub is the principal id', async () => {
    const claims = claimsOf(await assertion());
    assert.deepEqual(
      [claims['aud'], claims['iss'], claims['sub'], claims['ver']],
      [
        'api://AzureADTokenExchange',
        `${azure.entra.authority}/${demo.tenantId}/v2.0`,
        demo.issuerIdentity.principalId,
        '2.0',
      ],
    );
  });

  test('another identity, another audience, another application or a changed token does not prove it', async () => {
    refused(
      await askToken(azure, form(await assertion(azure.rotatorIdentity))),
      401,
      'invalid_client',
      700213,
    );
    const { access_token } = await identityToken(azure, 'https://vault.azure.net', {
      client_id: azure.issuerIdentity,
    });
    refused(await askToken(azure, form(access_token)), 401, 'invalid_client', 700212);
    const captions = azure.callers.find(({ name }) => name === 'captions')?.clientId;
    refused(await askToken(azure, form(await assertion(), captions)), 401, 'invalid_client', 700213);
    const [head, , signature] = (await assertion()).split('.');
    const body = Buffer.from(
      JSON.stringify({ ...claimsOf(await assertion()), sub: demo.rotatorIdentity.principalId }),
    ).toString('base64url');
    refused(await askToken(azure, form(`${head}.${body}.${signature}`)), 401, 'invalid_client', 700027);
    refused(await askToken(azure, form('nonsense')), 401, 'invalid_client', 700027);
  });

  test('an assertion that is past proves nothing any more', async () => {
    const old = await sign({
      aud: 'api://AzureADTokenExchange',
      sub: demo.issuerIdentity.principalId,
      exp: 1_700_000_000,
    });
    refused(await askToken(azure, form(old)), 401, 'invalid_client', 700024);
  });
});

async function sign(claims: object, header: object = {}): Promise<string> {
  const { text } = await control(azure, 'POST', '/entra/sign', { header, claims });
  return (JSON.parse(text) as { token: string }).token;
}

suite('on behalf of', () => {
  const ask = async (userToken: string, rest: Record<string, string> = {}) =>
    askToken(azure, {
      grant_type: onBehalfOf,
      requested_token_use: 'on_behalf_of',
      client_id: demo.brokerClientId,
      client_assertion_type: assertionType,
      client_assertion: await assertion(),
      assertion: userToken,
      scope: aiScope,
      ...rest,
    });
  const userToken = async (name: string, scope = azure.entra.scope) => {
    const client_id = azure.callers.find((one) => one.name === 'ada')?.clientId ?? '';
    const answer = await askToken(azure, {
      grant_type: 'password',
      client_id,
      username: `${name}@example.test`,
      password: `local-${name}`,
      scope,
    });
    return answer.access_token;
  };

  test('gives a token that acts for the user, with the broker as its client', async () => {
    const answer = await ask(await userToken('ada'));
    const claims = claimsOf(answer.access_token);
    assert.deepEqual(
      [claims['oid'], claims['appid'], claims['appidacr'], claims['scp'], claims['aud']],
      [
        azure.callers.find(({ name }) => name === 'ada')?.objectId,
        demo.brokerClientId,
        '2',
        'user_impersonation',
        'https://cognitiveservices.azure.com',
      ],
    );
    assert.deepEqual([answer.id_token, answer.client_info], [undefined, undefined]);
  });

  test('says who the user is when the client asks, so that its cache keeps users apart', async () => {
    const answer = await ask(await userToken('ada'), {
      scope: `${aiScope} openid profile`,
      client_info: '1',
    });
    const { objectId } = azure.callers.find(({ name }) => name === 'ada') ?? {};
    assert.deepEqual(JSON.parse(Buffer.from(answer.client_info ?? '', 'base64url').toString()), {
      uid: objectId,
      utid: demo.tenantId,
    });
    assert.deepEqual(
      [claimsOf(answer.id_token ?? '')['aud'], claimsOf(answer.id_token ?? '')['oid']],
      [demo.brokerClientId, objectId],
    );
  });

  test('the SDK gets one', async () => {
    const options = {
      tenantId: demo.tenantId,
      clientId: demo.brokerClientId,
      userAssertionToken: await userToken('ada'),
      getAssertion: () => assertion(),
      authorityHost: azure.entra.authority,
      // Needed, and read by the SDK, but missing from its type for this credential.
      disableInstanceDiscovery: true,
    };
    const credential = new OnBehalfOfCredential(options);
    assert.equal(claimsOf((await credential.getToken(aiScope)).token)['name'], 'Ada Lovelace');
  });

  test('Conditional Access sends the client back with the claims it wants', async () => {
    const answer = await ask(await userToken('grace'));
    refused(answer, 400, 'interaction_required', 50079);
    assert.equal(answer.suberror, 'basic_action');
    const wanted = JSON.parse(answer.claims ?? '') as { access_token: { polids: { essential: boolean } } };
    assert.equal(wanted.access_token.polids.essential, true);
  });

  test("an application's token, a token for another API, an expired or a foreign one cannot be exchanged", async () => {
    refused(await ask(await callerToken(azure, 'captions')), 400, 'invalid_grant', 7000114);
    refused(await ask(await userToken('ada', aiScope)), 400, 'invalid_grant', 500131);
    refused(await ask(await sign({ exp: 1_700_000_000 })), 400, 'invalid_grant', 500133);
    refused(await ask('e30.e30.e30'), 400, 'invalid_grant', 50013);
    refused(await ask(await userToken('ada'), { client_assertion_type: '' }), 401, 'invalid_client', 7000218);
  });

  test('a user who is disabled, deleted or whose sessions were revoked is not acted for', async () => {
    const token = await userToken('ada');
    const cases: [object, object, number][] = [
      [{ accountEnabled: false }, { accountEnabled: true }, 50057],
      [{ deleted: true }, { deleted: false }, 50034],
      [
        { signInSessionsValidFromDateTime: new Date(stand.now() + 60_000).toISOString() },
        { signInSessionsValidFromDateTime: '2026-01-01T00:00:00Z' },
        50173,
      ],
    ];
    for (const [bad, good, code] of cases) {
      assert.equal((await control(azure, 'PUT', '/users/ada', bad)).status, 204);
      refused(await ask(token), 400, 'invalid_grant', code);
      assert.equal((await control(azure, 'PUT', '/users/ada', good)).status, 204);
      assert.equal((await ask(token)).status, 200);
    }
  });
});

suite('keys', () => {
  const published = async () =>
    (await json<JSONWebKeySet>(`/${demo.tenantId}/discovery/v2.0/keys`)).keys.map(({ kid }) => kid);

  test('after a rollover the old key is not published, signs nothing, and is still known to Azure', async () => {
    const before = await published();
    const old = await assertion();
    assert.equal((await control(azure, 'POST', '/entra/rollover')).status, 204);
    const after = await published();
    assert.equal(after.length, 1);
    assert.notDeepEqual(after, before);
    assert.equal(headerOf(await callerToken(azure, 'captions'))['kid'], after[0]);
    assert.equal(headerOf(old)['kid'], before[0]);
    const form = { grant_type: 'client_credentials', client_id: demo.brokerClientId, scope: aiScope };
    const answer = await askToken(azure, {
      ...form,
      client_assertion_type: assertionType,
      client_assertion: old,
    });
    assert.equal(answer.status, 200);
  });

  test('a hostile token is the good one with what is wanted changed, signed by the current key', async () => {
    const token = await sign(
      { aud: 'x', exp: 'soon', extra: [1] },
      { alg: 'none', typ: 'at+jwt', jku: 'https://evil.test' },
    );
    const { kid, ...header } = headerOf(token);
    assert.deepEqual(header, { alg: 'none', typ: 'at+jwt', jku: 'https://evil.test' });
    assert.deepEqual([kid], await published());
    const claims = claimsOf(token);
    assert.deepEqual(
      [claims['aud'], claims['exp'], claims['extra'], claims['tid']],
      ['x', 'soon', [1], demo.tenantId],
    );
  });

  test('the keys, the users and what was done to them are there again after a restart', async () => {
    const before = await published();
    await control(azure, 'PUT', '/users/hedy', { accountEnabled: false });
    azure = await stand.restart();
    assert.deepEqual(await published(), before);
    const client_id = azure.callers.find(({ name }) => name === 'ada')?.clientId ?? '';
    const hedy = {
      grant_type: 'password',
      username: 'hedy@example.test',
      password: 'local-hedy',
      scope: aiScope,
    };
    refused(await askToken(azure, { ...hedy, client_id }), 400, 'invalid_grant', 50057);
  });
});

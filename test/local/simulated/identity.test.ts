/** The managed-identity endpoint, as App Service has it and as the real SDK asks it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ManagedIdentityCredential } from '@azure/identity';
import * as demo from '../../../src/local/simulated/demo-directory.ts';
import type { RunningAzure } from '../../../src/local/simulated/start.ts';
import { claimsOf, identityToken, startTestAzure, type TestAzure } from './fabric-azure.ts';

const vault = 'https://vault.azure.net';
let stand: TestAzure;
let azure: RunningAzure;
before(async () => {
  stand = await startTestAzure();
  azure = stand.azure;
});
after(() => stand.close());

test('the answer is that of protocol 2019-08-01: expires_on is text, the token lives 24 hours', async () => {
  const answer = await identityToken(azure, vault, { client_id: azure.issuerIdentity });
  const { access_token, expires_on, ...rest } = JSON.parse(answer.text) as Record<string, string>;
  assert.deepEqual(rest, { resource: vault, token_type: 'Bearer', client_id: azure.issuerIdentity });
  const claims = claimsOf(access_token ?? '');
  assert.equal(expires_on, String(claims['exp']));
  assert.equal(Number(claims['exp']) - Number(claims['iat']), 86_400);
  assert.deepEqual(
    [
      claims['ver'],
      claims['iss'],
      claims['aud'],
      claims['oid'],
      claims['sub'],
      claims['appid'],
      claims['appidacr'],
      claims['idtyp'],
    ],
    [
      '1.0',
      `https://sts.windows.net/${demo.tenantId}/`,
      vault,
      demo.issuerIdentity.principalId,
      demo.issuerIdentity.principalId,
      azure.issuerIdentity,
      '2',
      'app',
    ],
  );
  assert.equal(claims['xms_mirid'], demo.issuerIdentity.resourceId);
});

test('the platform hands out the same token until it is nearly over, and cannot be made to refresh it', async () => {
  const ask = async (resource = vault) =>
    (await identityToken(azure, resource, { client_id: azure.issuerIdentity })).access_token;
  const first = await ask();
  stand.advance(86_400 - 900);
  assert.equal(await ask(), first);
  assert.notEqual(await ask('https://management.azure.com'), first);
  stand.advance(400);
  const second = await ask();
  assert.notEqual(second, first);
  assert.equal(await ask(), second);
});

test('an identity is named by client id, principal id or resource id; by nothing, it is the system-assigned one', async () => {
  const { issuerIdentity: issuer, systemIdentity: system } = demo;
  const selectors: [Record<string, string>, string][] = [
    [{ client_id: issuer.clientId }, issuer.principalId],
    [{ principal_id: issuer.principalId }, issuer.principalId],
    [{ object_id: issuer.principalId }, issuer.principalId],
    [{ mi_res_id: issuer.resourceId }, issuer.principalId],
    [{}, system.principalId],
  ];
  for (const [selector, principalId] of selectors) {
    const { access_token } = await identityToken(azure, vault, selector);
    assert.equal(claimsOf(access_token)['oid'], principalId, JSON.stringify(selector));
  }
});

test('what the endpoint does not accept, it says in its own error shape', async () => {
  const header = { 'x-identity-header': azure.identity.headers.issuer };
  const cases: [string, Record<string, string>, number][] = [
    [`?api-version=2019-08-01&resource=${vault}&client_id=${demo.tenantId}`, header, 400],
    [`?api-version=2019-08-01&resource=${vault}`, {}, 401],
    [`?api-version=2019-08-01&resource=${vault}`, { 'x-identity-header': 'guess' }, 401],
    [`?api-version=2017-09-01&resource=${vault}`, header, 400],
    ['?api-version=2019-08-01', header, 400],
  ];
  for (const [query, headers, status] of cases) {
    const answer = await fetch(azure.identity.endpoint + query, { headers });
    const body = (await answer.json()) as { statusCode: number; message: string; correlationId: string };
    assert.equal(answer.status, status, query);
    assert.equal(body.statusCode, status);
    assert.ok(body.message && body.correlationId);
  }
});

test('an app gets no token of an identity that only the other one carries, however it is named', async () => {
  const { issuerIdentity: issuer, rotatorIdentity: rotator } = demo;
  const { headers } = azure.identity;
  for (const [header, own, other] of [
    [headers.issuer, issuer, rotator],
    [headers.rotator, rotator, issuer],
  ] as const)
    for (const [identity, expected] of [
      [own, 200],
      [other, 400],
    ] as const)
      for (const selector of [
        { client_id: identity.clientId },
        { principal_id: identity.principalId },
        { mi_res_id: identity.resourceId },
      ]) {
        const query = new URLSearchParams({ 'api-version': '2019-08-01', resource: vault, ...selector });
        const answer = await fetch(`${azure.identity.endpoint}?${query}`, {
          headers: { 'x-identity-header': header },
        });
        await answer.arrayBuffer();
        assert.equal(answer.status, expected, JSON.stringify(selector));
      }
});

test('the SDK gets tokens from it, user-assigned and system-assigned', async (t) => {
  const before = { endpoint: process.env['IDENTITY_ENDPOINT'], header: process.env['IDENTITY_HEADER'] };
  t.after(() => {
    restore('IDENTITY_ENDPOINT', before.endpoint);
    restore('IDENTITY_HEADER', before.header);
  });
  process.env['IDENTITY_ENDPOINT'] = azure.identity.endpoint;
  process.env['IDENTITY_HEADER'] = azure.identity.headers.issuer;
  const assigned = new ManagedIdentityCredential({ clientId: azure.issuerIdentity });
  const { token } = await assigned.getToken('https://management.azure.com/.default');
  assert.equal(claimsOf(token)['oid'], demo.issuerIdentity.principalId);
  const system = await new ManagedIdentityCredential().getToken(`${vault}/.default`);
  assert.equal(claimsOf(system.token)['oid'], demo.systemIdentity.principalId);
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

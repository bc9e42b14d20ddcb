/** The accounts, ARM and the vault behind the simulated Entra: every token here is issued and checked for real. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoWorld } from '../../../src/local/simulated/demo.ts';
import { type RunningAzure, startAzure } from '../../../src/local/simulated/start.ts';
import { trust } from '../../../src/local/simulated/tls.ts';
import { send } from './accounts-world.ts';

const aiScope = 'https://cognitiveservices.azure.com/.default';
let azure: RunningAzure;
let folder: string;
let aheadMs = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'azure-'));
  azure = await startAzure({
    consoleUrls: () => ['http://127.0.0.1:7071/console'],
    world: demoWorld,
    ports: 'any',
    dataFolder: folder,
    now: () => Date.now() + aheadMs,
    log: () => undefined,
    azurite: () => ({ tables: 'http://127.0.0.1:1', queues: 'http://127.0.0.1:1', blobs: '' }),
    clock: {
      state: () => ({ now: new Date().toISOString(), speed: 1 }),
      advance: async () => undefined,
      setSpeed: async () => undefined,
      names: [],
      setOffset: async () => false,
    },
  });
  trust(azure.caPem);
});
after(async () => {
  await azure.close();
  await rm(folder, { recursive: true });
});

async function tokenOf(name: string, scope: string): Promise<string> {
  const caller = azure.callers.find((one) => one.name === name);
  assert.ok(caller);
  const secrets =
    'username' in caller
      ? { grant_type: 'password', username: String(caller.username), password: String(caller.password) }
      : { grant_type: 'client_credentials', client_secret: String(caller.clientSecret) };
  const response = await fetch(`${azure.entra.authority}/${caller.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: caller.clientId, scope, ...secrets }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

async function identityToken(clientId: string, resource: string): Promise<string> {
  const url = new URL(azure.identity.endpoint);
  url.search = String(new URLSearchParams({ 'api-version': '2019-08-01', resource, client_id: clientId }));
  const app = clientId === azure.rotatorIdentity ? 'rotator' : 'issuer';
  const response = await fetch(url, { headers: { 'X-IDENTITY-HEADER': azure.identity.headers[app] } });
  return ((await response.json()) as { access_token: string }).access_token;
}

const resource = (name: string) => {
  const found = azure.resources.find((one) => one.name === name);
  assert.ok(found);
  return found;
};
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const models = (token: string) => send('GET', `${resource('chat').endpoint}/openai/v1/models`, bearer(token));

test('a user with a role uses the account with an Entra token for it, and with no other token', async () => {
  const token = await tokenOf('ada', aiScope);
  assert.equal((await models(token)).status, 200);
  assert.equal((await models(await tokenOf('ada', 'https://ai.azure.com/.default'))).status, 401);
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1 })).toString('base64url');
  assert.equal((await models(`${header}.${forged}.${signature}`)).status, 401);
});

test('a caller that the broker serves has no role of its own on the account', async () => {
  const answer = await models(await tokenOf('captions', aiScope));
  assert.deepEqual([answer.status, answer.json.error.code], [401, 'PermissionDenied']);
});

test('an Entra token is refused from its exp on', async () => {
  const token = await tokenOf('ada', aiScope);
  aheadMs = 91 * 60_000;
  const late = await models(token);
  aheadMs = 0;
  assert.equal(late.status, 401);
});

test('the rotator lists keys and the issuer does not; the issuer reads secrets and does not write them', async () => {
  const arm = 'https://management.azure.com/';
  const list = async (clientId: string) =>
    send(
      'POST',
      `${azure.arm}${resource('speech').accountId}/listKeys?api-version=2025-06-01`,
      bearer(await identityToken(clientId, arm)),
    );
  const keys = await list(azure.rotatorIdentity);
  assert.equal(keys.status, 200);
  assert.equal((await list(azure.issuerIdentity)).status, 403);

  const secret = `${azure.keyVault}/secrets/${resource('speech').secret}?api-version=2025-07-01`;
  const issuer = bearer(await identityToken(azure.issuerIdentity, 'https://vault.azure.net'));
  const read = await send('GET', secret, issuer);
  assert.equal(read.json.value, keys.json.key1);
  assert.equal((await send('PUT', secret, issuer, { value: 'x' })).status, 403);
  const rotator = bearer(await identityToken(azure.rotatorIdentity, 'https://vault.azure.net'));
  assert.equal((await send('PUT', secret, rotator, { value: keys.json.key2 })).status, 200);
});

test('the operator can break the vault by hand: a disabled current version is read by nobody', async () => {
  const operator = bearer(await tokenOf('operator', 'https://vault.azure.net/.default'));
  const path = `${azure.keyVault}/secrets/${resource('chat').secret}`;
  const api = '?api-version=2025-07-01';
  const { json } = await send('GET', path + api, operator);
  const body = { attributes: { enabled: false } };
  const patched = await send('PATCH', `${path}/${json.id.split('/').at(-1)}${api}`, operator, body);
  assert.equal(patched.status, 200);
  const issuer = bearer(await identityToken(azure.issuerIdentity, 'https://vault.azure.net'));
  const read = await send('GET', path + api, issuer);
  assert.deepEqual([read.status, read.json.error.innererror.code], [403, 'SecretDisabled']);
});

test('a key regenerated through the control service is refused at once, and neither log nor events hold one', async () => {
  const { name, endpoint, accountId } = resource('translator');
  const token = await identityToken(azure.rotatorIdentity, 'https://management.azure.com');
  const list = () => send('POST', `${azure.arm}${accountId}/listKeys?api-version=2025-06-01`, bearer(token));
  const issue = (key: string) =>
    send('POST', `${endpoint}/sts/v1.0/issueToken`, { 'Ocp-Apim-Subscription-Key': key });
  const old = (await list()).json.key1;
  assert.equal((await issue(old)).status, 200);
  const done = await send('POST', `${azure.control}/accounts/${name}/regenerate`, {}, { keyName: 'Key1' });
  assert.equal(done.status, 204);
  assert.equal((await issue(old)).status, 401);
  const fresh = (await list()).json.key1;
  assert.equal((await issue(fresh)).status, 200);
  const events = await send('GET', `${azure.control}/events`);
  assert.match(events.text, /regenerateKey\/action/);
  const told = events.text + (await send('GET', `${azure.control}/requests`)).text;
  for (const hidden of [old, fresh, token]) assert.ok(!told.includes(hidden));
});

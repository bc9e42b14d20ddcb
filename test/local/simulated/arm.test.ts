import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type Answer, send, startWorld, tokenOf, type World } from './accounts-world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

const version = 'api-version=2025-06-01';
const bearer = (who: string, audience = 'https://management.azure.com') => ({
  Authorization: `Bearer ${tokenOf(who, audience)}`,
});
const url = (action = '', account = 'speech', query = version) =>
  `${world.arm}${world.account(account).accountId}${action}?${query}`;
const listKeys = (account = 'speech') => send('POST', url('/listKeys', account), bearer('rotator'));
const regenerate = (keyName: unknown, account = 'speech') =>
  send('POST', url('/regenerateKey', account), bearer('rotator'), { keyName });
const errorOf = (answer: Answer) => [answer.status, answer.json.error.code];

test('listKeys and regenerateKey answer both keys, in lower-case members', async () => {
  const before = await listKeys();
  assert.equal(before.status, 200);
  assert.deepEqual(before.json, { key1: world.key('speech', 'Key1'), key2: world.key('speech', 'Key2') });
  assert.match(before.json.key1, /^[A-Za-z0-9]{84}$/);
  const after = await regenerate('Key2');
  assert.equal(after.status, 200);
  assert.equal(after.json.key1, before.json.key1);
  assert.notEqual(after.json.key2, before.json.key2);
  assert.deepEqual((await listKeys()).json, after.json);
});

test('the account is read in ARM form', async () => {
  const { status, json, headers } = await send('GET', url(), bearer('rotator'));
  assert.equal(status, 200);
  assert.deepEqual(
    [json.id, json.name, json.kind, json.location],
    [world.account('speech').accountId, 'speech', 'SpeechServices', 'westeurope'],
  );
  assert.equal(json.properties.disableLocalAuth, false);
  assert.equal(json.properties.provisioningState, 'Succeeded');
  assert.match(headers.get('x-ms-request-id') ?? '', /^[0-9a-f-]{36}$/);
});

test('key names are Key1 and Key2, spelled so', async () => {
  const answer = await regenerate('key1');
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json, {
    error: {
      code: 'BadRequest',
      message: "The key name 'key1' is invalid. Valid values are 'Key1' and 'Key2'.",
    },
  });
  assert.deepEqual(errorOf(await regenerate(undefined)), [400, 'BadRequest']);
});

test('the api-version is required, and looked at before the caller', async () => {
  const answer = await send('POST', url('/listKeys', 'speech', ''));
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json, {
    error: {
      code: 'MissingApiVersionParameter',
      message: 'The api-version query parameter (?api-version=) is required for all requests.',
    },
  });
  const wrong = await send('GET', url('', 'speech', 'api-version=latest'), bearer('rotator'));
  assert.deepEqual(errorOf(wrong), [400, 'InvalidApiVersionParameter']);
});

test('no token, and a token for another audience, are 401', async () => {
  assert.deepEqual(errorOf(await send('GET', url())), [401, 'AuthenticationFailed']);
  const vault = await send('GET', url(), bearer('rotator', 'https://vault.azure.net'));
  assert.deepEqual(errorOf(vault), [401, 'InvalidAuthenticationToken']);
  assert.match(vault.headers.get('www-authenticate') ?? '', /^Bearer authorization_uri="https:\/\//);
});

test('who has no role is told who it is and what it may not do, whether the account exists or not', async () => {
  const answer = await send('POST', url('/listKeys'), bearer('issuer'));
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.json, {
    error: {
      code: 'AuthorizationFailed',
      message: `The client 'client-of-issuer' with object id 'issuer' does not have authorization to perform action 'Microsoft.CognitiveServices/accounts/listKeys/action' over scope '${world.account('speech').accountId}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    },
  });
  const absent = await send('POST', url('x/listKeys'), bearer('issuer'));
  assert.deepEqual(errorOf(absent), [403, 'AuthorizationFailed']);
});

test('a role for the data plane alone lists no key; the built-in User role does, which is why nobody has it', async () => {
  const list = (who: string) => send('POST', url('/listKeys'), bearer(who));
  assert.deepEqual(errorOf(await list('app')), [403, 'AuthorizationFailed']);
  assert.equal((await list('user')).status, 200);
});

test('an account that is not there is 404 ResourceNotFound, after it was deleted too', async () => {
  const never = await send('GET', url('x'), bearer('rotator'));
  assert.deepEqual(errorOf(never), [404, 'ResourceNotFound']);
  const { accountId } = world.account('documents');
  world.accounts.remove('documents');
  const gone = await send('POST', `${world.arm}${accountId}/listKeys?${version}`, bearer('rotator'));
  assert.deepEqual(errorOf(gone), [404, 'ResourceNotFound']);
});

test('local authentication off: neither list nor regenerate', async () => {
  world.accounts.configure('translator', { disableLocalAuth: true });
  const answer = await listKeys('translator');
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json, {
    error: { code: 'BadRequest', message: 'Failed to list key. disableLocalAuth is set to be true' },
  });
  assert.deepEqual(errorOf(await regenerate('Key1', 'translator')), [400, 'BadRequest']);
});

test('a regenerate sends the event Azure sends: the caller is in it, the key is not', async () => {
  await regenerate('Key1');
  const event = world.events.at(-1);
  const { accountId } = world.account('speech');
  assert.equal(event?.eventType, 'Microsoft.Resources.ResourceActionSuccess');
  assert.equal(event?.subject, accountId);
  assert.equal(event?.topic, accountId.split('/').slice(0, 3).join('/'));
  const data = event?.data as {
    operationName: string;
    resourceUri: string;
    claims: Record<string, string>;
    status: string;
  };
  assert.equal(data.operationName, 'Microsoft.CognitiveServices/accounts/regenerateKey/action');
  assert.equal(data.resourceUri, accountId);
  assert.equal(data.claims['appid'], 'client-of-rotator');
  assert.equal(data.claims['http://schemas.microsoft.com/identity/claims/objectidentifier'], 'rotator');
  assert.ok(!JSON.stringify(event).includes('Key1'));
});

test('listKeys sends an event too; reading the account sends none', async () => {
  await listKeys();
  const count = world.events.length;
  assert.equal(
    world.events.at(-1)?.data['operationName'],
    'Microsoft.CognitiveServices/accounts/listKeys/action',
  );
  await send('GET', url(), bearer('rotator'));
  assert.equal(world.events.length, count);
});

test('a key regenerated by hand is the work of someone else in the event', () => {
  world.accounts.regenerateByHand('speech', 'Key2');
  const claims = world.events.at(-1)?.data['claims'] as Record<string, string>;
  assert.equal(claims['appid'], 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c');
});

test('the request log has the operation, the resource, the caller and the new key by its fingerprint', async () => {
  const { json } = await regenerate('Key1');
  const entry = world.requests('arm').at(-1);
  assert.deepEqual(
    [entry?.operation, entry?.resource, entry?.status, entry?.by, entry?.keyFingerprint],
    [
      'regenerateKey',
      'speech',
      200,
      'client-of-rotator',
      createHash('sha256').update(json.key1).digest('hex').slice(0, 16),
    ],
  );
});

test('the bucket of writes runs dry with 429 and Retry-After; asking early starts the wait again', async () => {
  world.advance(60_000);
  const answers = await Promise.all(Array.from({ length: 201 }, () => listKeys()));
  assert.equal(answers.filter((answer) => answer.status === 200).length, 200);
  const refused = answers.find((answer) => answer.status !== 200);
  assert.equal(refused?.status, 429);
  assert.equal(refused?.json.error.code, 'SubscriptionRequestsThrottled');
  assert.equal(refused?.headers.get('retry-after'), '1');
  world.advance(900);
  assert.equal((await listKeys()).status, 429);
  world.advance(900);
  assert.equal((await listKeys()).status, 429);
  world.advance(1000);
  assert.equal((await listKeys()).status, 200);
  assert.equal((await send('GET', url(), bearer('rotator'))).status, 200);
});

test('keys, settings and deletions are there again after a kill', async () => {
  world.advance(60_000);
  world.accounts.configure('chat', { newKeyLagMs: 5 });
  const keys = (await listKeys()).json;
  world = await world.restart();
  assert.deepEqual((await listKeys()).json, keys);
  assert.equal(world.account('chat').settings.newKeyLagMs, 5);
  assert.equal(world.account('documents').deleted, true);
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { send, startWorld, type World } from './accounts-world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

const issue = (url: string, key?: string) =>
  send(
    'POST',
    `${url}/sts/v1.0/issueToken`,
    key === undefined ? {} : { 'Ocp-Apim-Subscription-Key': key, 'Content-Length': '0' },
  );
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
const translate = (url: string, token: string) =>
  send('POST', `${url}/translate?api-version=3.0&to=de`, { Authorization: `Bearer ${token}` }, [
    { Text: 'hello' },
  ]);
const minutes = (count: number) => count * 60_000;

describe('issueToken, held to the real service where CONTRACT_STS_HOST and CONTRACT_STS_KEY name one', () => {
  const host = () => process.env['CONTRACT_STS_HOST'] ?? world.host('speech');
  const key = () => process.env['CONTRACT_STS_KEY'] ?? world.key('speech', 'Key1');

  test('a key buys a bare JWT of ten minutes with the alg of an XML signature and neither iat nor jti', async () => {
    const answer = await issue(host(), key());
    assert.equal(answer.status, 200);
    assert.match(answer.text, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    const [header, payload] = answer.text.split('.');
    assert.deepEqual(decode(header), {
      alg: 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
      typ: 'JWT',
    });
    const claims = decode(payload);
    assert.deepEqual(
      Object.keys(claims).sort(),
      [
        'aud',
        'azure-resource-id',
        'cognitive-services-endpoint',
        'exp',
        'iss',
        'product-id',
        'region',
        'scope',
        'subscription-id',
      ].sort(),
    );
    assert.equal(claims.iss, 'urn:ms.cognitiveservices');
    assert.match(claims['subscription-id'], /^[0-9a-f]{32}$/);
  });

  test('a wrong key is a 401 in the newer envelope, code as text', async () => {
    const answer = await issue(host(), '0'.repeat(84));
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.json, {
      error: {
        code: '401',
        message:
          'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
      },
    });
  });
});

test('the token of a Speech account carries its account, region and audience', async () => {
  const { text } = await issue(world.host('speech'), world.key('speech', 'Key2'));
  const claims = decode(text.split('.')[1]);
  assert.equal(claims.region, 'westeurope');
  assert.equal(claims['product-id'], 'SpeechServices.S0');
  assert.equal(claims['azure-resource-id'], world.account('speech').accountId);
  assert.equal(claims.scope, 'speechservices');
  assert.equal(claims.aud, 'urn:ms.speechservices.westeurope');
});

test('the regional host answers a wrong key in the older envelope', async () => {
  const answer = await issue(world.host('speech', 'regional'), 'wrong');
  assert.equal(answer.status, 401);
  assert.deepEqual(answer.json, {
    statusCode: 401,
    message:
      'Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.',
  });
});

test('no key at all, or an Entra token in its place, is a missing key', async () => {
  assert.equal((await issue(world.host('speech'))).status, 401);
  const entra = await send('POST', `${world.host('speech')}/sts/v1.0/issueToken`, {
    Authorization: 'Bearer entra|app|https://cognitiveservices.azure.com',
  });
  assert.equal(entra.status, 401);
  assert.match(entra.json.error.message, /missing subscription key/);
});

test('an Azure OpenAI account has no key exchange', async () => {
  const answer = await issue(world.host('chat'), world.key('chat', 'Key1'));
  assert.equal(answer.status, 404);
});

test('a token is good at the host that issued it and nowhere else', async () => {
  const custom = await issue(world.host('translator'), world.key('translator', 'Key1'));
  const regional = await issue(world.host('translator', 'regional'), world.key('translator', 'Key1'));
  assert.equal((await translate(world.host('translator'), custom.text)).status, 200);
  assert.equal((await translate(world.host('translator', 'regional'), regional.text)).status, 200);
  assert.equal((await translate(world.host('translator', 'regional'), custom.text)).status, 401);
  assert.equal((await translate(world.host('translator'), regional.text)).status, 401);
});

test('a token is good to the last millisecond before exp and not at exp', async () => {
  const { text } = await issue(world.host('translator'), world.key('translator', 'Key1'));
  world.advance(minutes(10) - 1);
  assert.equal((await translate(world.host('translator'), text)).status, 200);
  world.advance(1);
  assert.equal((await translate(world.host('translator'), text)).status, 401);
});

test('one flipped bit of payload or signature makes a token worthless', async () => {
  const { text } = await issue(world.host('translator'), world.key('translator', 'Key1'));
  const [header = '', payload = '', signature = ''] = text.split('.');
  const later = Buffer.from(JSON.stringify({ ...decode(payload), exp: decode(payload).exp + 3600 })).toString(
    'base64url',
  );
  const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  for (const forged of [
    `${header}.${later}.${signature}`,
    `${header}.${payload}.${flipped}`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `${text}.x`,
  ]) {
    assert.equal((await translate(world.host('translator'), forged)).status, 401);
  }
});

describe('regenerated keys', () => {
  beforeEach(() => {
    world.accounts.configure('translator', { newKeyLagMs: 0, oldKeyLagMs: 0, tokensEndWithKey: false });
  });

  test('the new key is refused, and the old one accepted, until their lags are over', async () => {
    world.accounts.configure('translator', { newKeyLagMs: minutes(1), oldKeyLagMs: minutes(3) });
    const old = world.key('translator', 'Key1');
    world.accounts.regenerateByHand('translator', 'Key1');
    const fresh = world.key('translator', 'Key1');
    const statuses = async () => [
      (await issue(world.host('translator'), old)).status,
      (await issue(world.host('translator'), fresh)).status,
    ];
    assert.deepEqual(await statuses(), [200, 401]);
    world.advance(minutes(1));
    assert.deepEqual(await statuses(), [200, 200]);
    world.advance(minutes(2));
    assert.deepEqual(await statuses(), [401, 200]);
  });

  test('by default a token outlives the key it was bought with', async () => {
    const { text } = await issue(world.host('translator'), world.key('translator', 'Key1'));
    world.accounts.regenerateByHand('translator', 'Key1');
    assert.equal((await translate(world.host('translator'), text)).status, 200);
  });

  test('with tokensEndWithKey it dies with it, and the token of the other key lives', async () => {
    world.accounts.configure('translator', { tokensEndWithKey: true });
    const first = await issue(world.host('translator'), world.key('translator', 'Key1'));
    const second = await issue(world.host('translator'), world.key('translator', 'Key2'));
    world.accounts.regenerateByHand('translator', 'Key1');
    assert.equal((await translate(world.host('translator'), first.text)).status, 401);
    assert.equal((await translate(world.host('translator'), second.text)).status, 200);
  });
});

test('with local authentication off the own host says 403 with its code, the regional host a plain 401', async () => {
  world.accounts.configure('speech', { disableLocalAuth: true });
  const key = world.key('speech', 'Key1');
  const custom = await issue(world.host('speech'), key);
  const regional = await issue(world.host('speech', 'regional'), key);
  world.accounts.configure('speech', { disableLocalAuth: false });
  assert.equal(custom.status, 403);
  assert.deepEqual(custom.json, {
    error: {
      code: 'AuthenticationTypeDisabled',
      message: 'Key based authentication is disabled for this resource.',
    },
  });
  assert.equal(regional.status, 401);
});

test('wrong keys in quick succession meet 429 with Retry-After; a good key is served all the while', async () => {
  const url = world.host('speech', 'regional');
  world.advance(minutes(1));
  const answers = await Promise.all(Array.from({ length: 40 }, () => issue(url, 'wrong')));
  const busy = answers.filter((answer) => answer.status === 429);
  assert.equal(busy.length, 10);
  assert.match(busy[0]?.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/);
  assert.equal((await issue(url, world.key('speech', 'Key1'))).status, 200);
});

test('the request log names the key by its fingerprint, for the purchase and for each use of the token', async () => {
  const key = world.key('translator', 'Key2');
  const fingerprint = createHash('sha256').update(key).digest('hex').slice(0, 16);
  const { text } = await issue(world.host('translator'), key);
  await translate(world.host('translator'), text);
  const bought = world.requests('sts').at(-1);
  const used = world.requests('ai').at(-1);
  assert.deepEqual(
    [bought?.operation, bought?.resource, bought?.status, bought?.keyFingerprint],
    ['issueToken', 'translator', 200, fingerprint],
  );
  assert.deepEqual(
    [used?.operation, used?.resource, used?.status, used?.keyFingerprint],
    ['translate', 'translator', 200, fingerprint],
  );
  const everything = JSON.stringify([...world.requests('sts'), ...world.requests('ai')]);
  assert.ok(!everything.includes(key) && !everything.includes(text));
});

test('tokens bought before a kill are good after the restart', async () => {
  const { text } = await issue(world.host('translator'), world.key('translator', 'Key1'));
  world = await world.restart();
  assert.equal((await translate(world.host('translator'), text)).status, 200);
});

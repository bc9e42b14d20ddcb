import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { allowInsecureRequests, discovery, tokenIntrospection, tokenRevocation } from 'openid-client';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import { sha256 } from '../../src/secret.ts';
import { callerNamed, callerToken, deliver, exchange, ownEvent, startLocal } from '../local/local-mode.ts';
import { signSet } from '../revocation/fakes.ts';
import { sample } from '../revocation/samples.ts';
import { percentile, revocationTrials } from './revocation-trials.ts';

/** The bench runs a thousand of them. */
const TRIALS = 4;

let local: Awaited<ReturnType<typeof startLocal>>;
before(async () => {
  local = await startLocal(['--instances', '3']);
});
after(() => local[Symbol.asyncDispose]());

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${local.description.control}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
async function operator(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${local.description.broker}/operator/${path}`, {
    method,
    headers: { authorization: `Bearer ${await callerToken(local.description, 'operator')}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, unknown>;
}
/** The same exchange at each instance. */
const everywhere = (token: string, resource: string) =>
  Promise.all(local.description.instances.map((broker) => exchange(broker, token, resource)));
const statuses = async (token: string, resource: string) =>
  (await everywhere(token, resource)).map(({ status }) => status);
/** Until a sign-in is dated after every cut-off that there is. */
const afterCutOffs = () => control('POST', '/clock', { advanceSeconds: MAX_CLOCKS_DIFFER_SECONDS + 2 });

describe('three instances on one store', () => {
  test(`no exchange that begins after a revocation's call returned succeeds anywhere (${TRIALS} trials at 200/s)`, async (t) => {
    const run = await revocationTrials(local.description, { trials: TRIALS, perSecond: 200, freshnessMs: 0 });
    assert.equal(run.late, 0);
    assert.ok(run.exchanges > TRIALS * 5);
    t.diagnostic(
      `time to effect: p50 ${percentile(run.effectMs, 0.5)} ms, slowest ${percentile(run.effectMs, 1)} ms`,
    );
  });

  test('a signal of a configured transmitter is in force everywhere when it is acknowledged', async () => {
    const { broker, entra } = local.description;
    const { objectId, tenantId } = callerNamed(local.description, 'ada');
    const before = await callerToken(local.description, 'ada');
    assert.deepEqual(await statuses(before, 'chat'), [200, 200, 200]);
    const [transmitter] = local.description.transmitters;
    // What only a caller's token has is taken out, so that the rest is a Security Event Token.
    const notOfASignal = ['sub', 'exp', 'nbf', 'azp', 'oid', 'tid', 'ver', 'roles', 'uti', 'idtyp'];
    const { token } = await control('POST', '/entra/sign', {
      header: { typ: 'secevent+jwt' },
      claims: {
        ...Object.fromEntries(notOfASignal.map((claim) => [claim, null])),
        iss: transmitter?.issuer,
        aud: transmitter?.audience,
        jti: crypto.randomUUID(),
        sub_id: { format: 'iss_sub', iss: `${entra.authority}/${tenantId}/v2.0`, sub: objectId },
        events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
      },
    });
    const pushed = await fetch(`${broker}/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
      body: String(token),
    });
    assert.equal(pushed.status, 202, await pushed.text());
    assert.deepEqual(await statuses(before, 'chat'), [400, 400, 400]);
    await afterCutOffs();
    const again = await callerToken(local.description, 'ada');
    assert.deepEqual(await statuses(again, 'chat'), [200, 200, 200]);
    // Neither is ever taken for the other.
    assert.equal((await exchange(broker, String(token), 'chat')).status, 400);
  });

  test('a user who is disabled in the directory is refused everywhere, and again allowed when enabled', async () => {
    const token = await callerToken(local.description, 'ada');
    assert.deepEqual(await statuses(token, 'chat'), [200, 200, 200]);
    await control('PUT', '/users/ada', { accountEnabled: false });
    for (let n = 0; (await statuses(token, 'chat')).includes(200); n += 1) {
      assert.ok(n < 100, 'the change event was not acted upon');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await control('PUT', '/users/ada', { accountEnabled: true });
    await afterCutOffs();
    assert.deepEqual(await statuses(await callerToken(local.description, 'ada'), 'chat'), [200, 200, 200]);
    assert.deepEqual(await statuses(token, 'chat'), [400, 400, 400]);
  });

  test('a block by an operator holds everywhere until it is lifted', async () => {
    const scope = { kind: 'grant', name: 'captions' };
    await operator('POST', 'revocations', { scope, block: true, reason: 'a test' });
    await afterCutOffs();
    const fresh = await callerToken(local.description, 'captions');
    assert.deepEqual(await statuses(fresh, 'speech'), [400, 400, 400]);
    const lifted = await operator('POST', 'revocations/lift', { scope, reason: 'over' });
    assert.equal((lifted as { lifted: boolean }).lifted, true);
    assert.deepEqual(await statuses(fresh, 'speech'), [200, 200, 200]);
    const { items } = (await operator('GET', 'revocations')) as { items: Record<string, unknown>[] };
    const listed = items.find(({ key }) => key === 'grant:captions');
    assert.ok(listed?.['inForceAt'] && listed['lastTokenUntil']);
  });
});

describe('the webhook', () => {
  const webhook = async (body: unknown, headers: Record<string, string>) => {
    const answer = await fetch(`${local.description.broker}/runtime/webhooks/EventGrid?functionName=react`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };

  test('01 and 02: a subscription is validated with the code as it came', async () => {
    const answer = await webhook(sample('01-eg-subscription-validation'), {
      'aeg-event-type': 'SubscriptionValidation',
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), sample('02-eg-subscription-validation-response'));
  });

  for (const name of [
    '04-eg-kv-secret-new-version',
    '06-eg-kv-secret-near-expiry',
    '07-eg-kv-secret-expired',
    '08-ce-kv-secret-new-version',
    '10-ce-graph-user-updated',
    '11-ce-graph-user-deleted',
    '18-eg-arm-action-regeneratekey',
    '19-ce-arm-action-regeneratekey',
    '20-eg-arm-action-listkeys-noise',
    '24-eg-deadletter',
    '26-eg-batch-dup-out-of-order',
  ])
    test(`${name} is acknowledged`, async () => {
      assert.equal((await webhook(sample(name), { 'aeg-event-type': 'Notification' })).status, 202);
    });

  test('in a batch, poison and unknown types stop nobody: the revocation beside them is in force', async () => {
    const token = await callerToken(local.description, 'captions');
    assert.deepEqual(await statuses(token, 'speech'), [200, 200, 200]);
    const { tenantId, clientId } = callerNamed(local.description, 'captions');
    const batch = [
      { nothing: 'that is an event' },
      ownEvent('RevocationRequested', { scope: { kind: 'planet' } }),
      ownEvent('FutureThing', {}),
      ownEvent('RevocationRequested', { scope: { kind: 'client', tenantId, clientId } }),
    ];
    assert.equal(await deliver(local.description.broker, batch), 202);
    assert.deepEqual(await statuses(token, 'speech'), [400, 400, 400]);
    const { items } = (await operator('GET', 'events')) as { items: { kind: string; why?: string }[] };
    assert.ok(items.some(({ kind, why }) => kind === 'poison' && why?.startsWith('scope.kind')));
    await afterCutOffs();
  });
});

describe('a stock client', () => {
  test('finds the endpoints in the metadata, introspects and revokes what it was given', async () => {
    const { description } = local;
    const token = await callerToken(description, 'captions');
    const config = await discovery(
      new URL(description.broker),
      'any',
      undefined,
      (_server, _client, _body, headers) => headers.set('authorization', `Bearer ${token}`),
      { algorithm: 'oauth2', execute: [allowInsecureRequests] },
    );
    const [first] = await everywhere(token, 'speech');
    const issued = String(first?.body['access_token']);
    assert.equal((await tokenIntrospection(config, issued)).active, true);
    assert.deepEqual(
      await tokenIntrospection(config, token),
      { active: false },
      'a caller token is not ours',
    );
    await tokenRevocation(config, issued);
    assert.deepEqual(await tokenIntrospection(config, issued), { active: false });
    for (const { status, body } of await everywhere(token, 'speech')) {
      assert.equal(status, 200);
      assert.notEqual(body['access_token'], issued);
    }
  });

  test('a security event of an issuer nobody configured is refused as RFC 8935 says', async () => {
    const answer = await fetch(`${local.description.broker}/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: signSet(sample('33-set-caep-session-revoked-user')),
    });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get('content-language'), 'en');
    assert.equal(((await answer.json()) as { err: string }).err, 'invalid_issuer');
  });
});

describe('tables that fail in the middle', () => {
  const scope = { kind: 'grant', name: 'translations' };

  test('while they are down nothing is granted and nothing acknowledged; redelivery makes it good', async () => {
    const token = await callerToken(local.description, 'translations');
    assert.deepEqual(await statuses(token, 'translator'), [200, 200, 200]);
    const event = ownEvent('RevocationRequested', { scope, block: true });
    await control('PUT', '/faults/tables', { mode: 'down' });
    assert.equal(await deliver(local.description.broker, [event]), 500);
    assert.deepEqual(await statuses(token, 'translator'), [503, 503, 503]);
    await control('DELETE', '/faults/tables');
    assert.equal(await deliver(local.description.broker, [event]), 202);
    assert.deepEqual(await statuses(token, 'translator'), [400, 400, 400]);
    await operator('POST', 'revocations/lift', { scope, reason: 'over' });
    await afterCutOffs();
  });

  // One token's scope is a new entry each time: inserted, then the head updated, then the effect inserted.
  for (const operation of [
    'InsertEntity events',
    'GetEntity state',
    'InsertEntity state',
    'UpdateEntity state',
    'InsertOrReplaceEntity state',
  ])
    for (const mode of ['down', 'lost'])
      test(`${operation} ${mode}: acknowledged only if in force, and in force after redelivery`, async () => {
        const token = await callerToken(local.description, 'translations');
        const { tid, uti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
        const event = ownEvent('RevocationRequested', { scope: { kind: 'token', tenantId: tid, uti } });
        await control('PUT', '/faults/tables', { mode, operation });
        const status = await deliver(local.description.broker, [event]);
        if (status === 202) assert.ok(!(await statuses(token, 'translator')).includes(200));
        else assert.equal(status, 500);
        await control('DELETE', '/faults/tables');
        assert.equal(await deliver(local.description.broker, [event]), 202);
        assert.deepEqual(await statuses(token, 'translator'), [400, 400, 400]);
      });
});

test('a leaked key: its slot is regenerated, the secret moved, the tokens of every instance dropped', async (t) => {
  const { description } = local;
  const key = await currentKey('speech-key');
  const token = await callerToken(description, 'captions');
  const before = await everywhere(token, 'speech');
  assert.deepEqual(
    before.map(({ status }) => status),
    [200, 200, 200],
  );
  const { last } = (await control('GET', '/requests')) as { last: number };

  const event = ownEvent('KeyLeaked', { sha256: sha256(key), reason: 'found in a repository' });
  const sentAtMs = Date.now();
  assert.equal(await deliver(description.broker, [event]), 202);
  const old = new Set(before.map(({ body }) => body['access_token']));
  for (const { status, body } of await everywhere(token, 'speech')) {
    assert.equal(status, 200);
    assert.ok(!old.has(body['access_token']), 'a token bought with the leaked key is handed out');
  }
  assert.notEqual(sha256(await currentKey('speech-key')), sha256(key));

  const endpoint = description.resources.find(({ name }) => name === 'speech')?.endpoint;
  for (let n = 0; ; n += 1) {
    const answer = await fetch(`${endpoint}/sts/v1.0/issueToken`, {
      method: 'POST',
      headers: { 'ocp-apim-subscription-key': key },
    });
    await answer.arrayBuffer();
    if (answer.status === 401) break;
    assert.ok(n < 100, `the old key is still accepted: ${answer.status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { requests } = (await control('GET', `/requests?service=sts&after=${last}`)) as {
    requests: { at: string; status: number; keyFingerprint?: string }[];
  };
  const refused = requests.find(
    ({ status, keyFingerprint }) => status === 401 && keyFingerprint === sha256(key).slice(0, 16),
  );
  assert.ok(refused, 'the account itself says that the old key is refused');
  t.diagnostic(
    `from event to the old key refused, by the account's log: ${Date.parse(refused.at) - sentAtMs} ms`,
  );

  assert.equal(await deliver(description.broker, [event]), 202, 'a repetition finds the key in no slot');
});

test('a leaked key while the tables come and go: redelivered until done, and no token of the old key left', async () => {
  const { description } = local;
  const key = await currentKey('translator-key');
  const token = await callerToken(description, 'translations');
  const old = new Set((await everywhere(token, 'translator')).map(({ body }) => body['access_token']));
  const event = ownEvent('KeyLeaked', { sha256: sha256(key), resource: 'translator' });
  await control('PUT', '/faults/tables', { mode: 'down', share: 0.5 });
  const first = await deliver(description.broker, [event]);
  assert.ok(first === 202 || first === 500);
  await control('DELETE', '/faults/tables');
  for (let delivery = 1; (await deliver(description.broker, [event])) !== 202; delivery += 1) {
    assert.ok(delivery < 20, 'the event is never done');
    // Event Grid comes again after 30 s and later. A driver that could not write down its end keeps its lease for
    // four minutes, in which the others leave the account alone.
    await control('POST', '/clock', { advanceSeconds: 30 });
  }
  assert.notEqual(sha256(await currentKey('translator-key')), sha256(key));
  for (const { status, body } of await everywhere(token, 'translator')) {
    assert.equal(status, 200);
    assert.ok(!old.has(body['access_token']));
  }
});

/** As the issuer's identity reads it. */
async function currentKey(secretName: string): Promise<string> {
  const { keyVault } = local.description;
  const environment = local.description.environment.issuer;
  const query = new URLSearchParams({
    'api-version': '2019-08-01',
    resource: 'https://vault.azure.net',
    client_id: environment['BROKER_ISSUER_IDENTITY'] ?? '',
  });
  const identity = await fetch(`${environment['IDENTITY_ENDPOINT']}?${query}`, {
    headers: { 'x-identity-header': environment['IDENTITY_HEADER'] ?? '' },
  });
  const { access_token } = (await identity.json()) as { access_token: string };
  const secret = await fetch(`${keyVault}/secrets/${secretName}?api-version=7.4`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const { value } = (await secret.json()) as { value: string };
  return value;
}

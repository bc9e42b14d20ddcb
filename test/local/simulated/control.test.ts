/** The control service and the simulated Event Grid, to the letter of what other programs may rely on. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import * as demo from '../../../src/local/simulated/demo-directory.ts';
import type { RunningAzure } from '../../../src/local/simulated/start.ts';
import { callerToken, claimsOf, control, startTestAzure, type TestAzure, until } from './fabric-azure.ts';

let stand: TestAzure;
let azure: RunningAzure;
before(async () => {
  stand = await startTestAzure();
  azure = stand.azure;
});
beforeEach(() => {
  stand.answerEvents(201);
  stand.deliveries.length = 0;
});
after(() => stand.close());

interface Event {
  readonly n: number;
  readonly type: string;
  readonly status: number;
  readonly attempts: number;
  readonly state: string;
}
async function events(n: number): Promise<{ events: Event[]; last: number }> {
  const { text } = await control(azure, 'GET', `/events?after=${n}`);
  return JSON.parse(text) as { events: Event[]; last: number };
}
async function settled(n: number): Promise<Event[]> {
  await until(
    async () => (await events(n)).events.every(({ attempts, status }) => attempts > 0 && status > 0),
    'all tried',
  );
  return (await events(n)).events;
}

async function secretValue(name: string, token: string): Promise<{ status: number; value: string }> {
  const answer = await fetch(`${azure.keyVault}/secrets/${name}?api-version=7.6`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: answer.status, ...((await answer.json()) as { value: string }) };
}

suite('calls', () => {
  const wrong: [string, string, unknown, number, RegExp][] = [
    ['PUT', '/faults/entra', { mode: 'on fire' }, 400, /mode/],
    ['PUT', '/faults/entra', { mode: 'down', extra: 1 }, 400, /extra/],
    ['PUT', '/faults/entra', 'not json', 400, /not JSON/],
    ['PUT', '/faults/entra', { mode: 'stale', lagMs: 1 }, 400, /keyvault/],
    ['PUT', '/faults/keyvault', { mode: 'stale' }, 400, /lagMs/],
    ['PUT', '/faults/mainframe', { mode: 'down' }, 400, /entra/],
    ['DELETE', '/faults/mainframe', undefined, 400, /entra/],
    ['POST', '/clock', {}, 400, /nothing to change/],
    ['POST', '/clock', { advanceSeconds: -1 }, 400, /advanceSeconds/],
    ['POST', '/clock', { advanceHours: 1 }, 400, /advanceHours/],
    ['POST', '/clock', { now: '2020-01-01T00:00:00Z' }, 400, /forward only/],
    ['POST', '/clock', { now: 'tomorrow' }, 400, /now/],
    ['PUT', '/accounts/speech', { newKeyLagMs: 'long' }, 400, /newKeyLagMs/],
    ['PUT', '/accounts/speech', { colour: 'red' }, 400, /colour/],
    ['PUT', '/accounts/nobody', {}, 400, /nobody/],
    ['POST', '/accounts/speech/regenerate', { keyName: 'key1' }, 400, /keyName/],
    ['POST', '/accounts/nobody/regenerate', { keyName: 'Key1' }, 400, /nobody/],
    ['DELETE', '/accounts/nobody', undefined, 400, /nobody/],
    ['PUT', '/secrets/nothing', { deleted: true }, 400, /nothing/],
    ['PUT', '/secrets/speech-key', { deleted: 'yes' }, 400, /deleted/],
    ['PUT', '/secrets/speech-key', {}, 400, /deleted/],
    ['PUT', '/roles/nobody', { assigned: false }, 400, /nobody.*issuer, rotator/],
    ['PUT', '/roles/rotator', {}, 400, /assigned/],
    ['PUT', '/clocks/sundial', { offsetMs: 1 }, 400, /sundial.*entra.*instance-1/],
    ['PUT', '/clocks/entra', { offsetMs: 0.5 }, 400, /offsetMs/],
    ['PUT', '/clocks/entra', { offsetSeconds: 1 }, 400, /offsetSeconds/],
    ['PUT', '/clocks/%E0%A4%A', { offsetMs: 1 }, 400, /percent-encoded/],
    ['PUT', '/users/ada', { accountEnabled: 'no' }, 400, /accountEnabled/],
    [
      'PUT',
      '/users/ada',
      { signInSessionsValidFromDateTime: 'yesterday' },
      400,
      /signInSessionsValidFromDateTime/,
    ],
    ['PUT', '/users/nobody', { accountEnabled: false }, 400, /nobody/],
    ['POST', '/entra/sign', { claim: {} }, 400, /claim/],
    ['GET', '/requests?after=x', undefined, 400, /./],
    ['GET', '/requests?service=nobody', undefined, 400, /./],
    ['GET', '/nothing', undefined, 404, /Not Found/],
    ['GET', '/faults', undefined, 405, /Not Allowed/],
  ];
  for (const [method, path, body, status, words] of wrong) {
    test(`${method} ${path} ${JSON.stringify(body) ?? ''}: ${status} with words`, async () => {
      const before = (await events(0)).last;
      const answer = await control(azure, method, path, body);
      assert.equal(answer.status, status);
      assert.match((JSON.parse(answer.text) as { error: string }).error, words);
      assert.equal((await events(0)).last, before, 'and nothing happened');
    });
  }

  test('a fault is set, strikes, and ends', async () => {
    const ask = async () =>
      (await fetch(`${azure.entra.authority}/common/v2.0/.well-known/openid-configuration`)).status;
    assert.deepEqual(await control(azure, 'PUT', '/faults/entra', { mode: 'status', status: 503 }), {
      status: 204,
      text: '',
    });
    assert.equal(await ask(), 503);
    assert.equal((await control(azure, 'DELETE', '/faults/entra')).status, 204);
    assert.equal(await ask(), 200);
    for (const service of ['entra', 'arm'])
      await control(azure, 'PUT', `/faults/${service}`, { mode: 'garbage' });
    assert.equal((await control(azure, 'DELETE', '/faults')).status, 204);
    assert.equal(await ask(), 200);
  });

  test('a vault that is stale shows a new version only after the lag, and has it by its id no sooner', async () => {
    const token = await callerToken(azure, 'operator', 'https://vault.azure.net/.default');
    const before = await secretValue('speech-key', token);
    await control(azure, 'PUT', '/faults/keyvault', { mode: 'stale', lagMs: 60_000 });
    const written = await fetch(`${azure.keyVault}/secrets/speech-key?api-version=7.6`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ value: 'newer' }),
    });
    const { id } = (await written.json()) as { id: string };
    const byId = new URL(id).pathname.replace('/secrets/', '');
    assert.equal((await secretValue('speech-key', token)).value, before.value);
    assert.equal((await secretValue(byId, token)).status, 404);
    await control(azure, 'PUT', '/faults/keyvault', { mode: 'stale', lagMs: 1 });
    assert.equal((await secretValue('speech-key', token)).value, 'newer');
    await control(azure, 'DELETE', '/faults');
    assert.equal((await secretValue(byId, token)).value, 'newer');
  });

  test('the clock is shown and moved', async () => {
    const state = async () =>
      JSON.parse((await control(azure, 'GET', '/clock')).text) as { now: string; speed: number };
    const { now, speed } = await state();
    assert.equal(speed, 1);
    assert.equal((await control(azure, 'POST', '/clock', { advanceSeconds: 600 })).status, 204);
    assert.ok(Date.parse((await state()).now) - Date.parse(now) >= 600_000);
    const later = new Date(Date.parse((await state()).now) + 3_600_000).toISOString();
    assert.equal((await control(azure, 'POST', '/clock', { now: later })).status, 204);
    assert.ok(Date.parse((await state()).now) >= Date.parse(later));
  });

  test('requests are shown with their time, from a number on and of one service, never with a token', async () => {
    const token = await callerToken(azure, 'captions');
    const { last } = JSON.parse((await control(azure, 'GET', '/requests')).text) as { last: number };
    const { text } = await control(azure, 'GET', `/requests?after=${last - 1}&service=entra`);
    const { requests } = JSON.parse(text) as { requests: Record<string, unknown>[] };
    const { at, ...rest } = requests[0] ?? {};
    assert.ok(Math.abs(Date.parse(String(at)) - stand.now()) < 5000);
    const by = azure.callers.find(({ name }) => name === 'captions')?.clientId;
    assert.deepEqual(rest, {
      n: last,
      service: 'entra',
      operation: 'token client_credentials',
      resource: demo.brokerUri,
      status: 200,
      by,
      keyFingerprint: null,
      fault: null,
    });
    const everything = (await control(azure, 'GET', '/requests')).text;
    assert.ok(!everything.includes(token) && !everything.includes('local-captions'));
  });

  test('a claim given as null is one the signed token does not have', async () => {
    const { text } = await control(azure, 'POST', '/entra/sign', { claims: { exp: null, extra: 1 } });
    const claims = claimsOf(String((JSON.parse(text) as { token: string }).token));
    assert.ok(!('exp' in claims) && 'iat' in claims);
    assert.equal(claims['extra'], 1);
  });

  test('an account takes its settings, its new key and its end', async () => {
    const { last } = await events(0);
    assert.equal(
      (await control(azure, 'PUT', '/accounts/vision', { oldKeyLagMs: 1000, disableLocalAuth: true })).status,
      204,
    );
    assert.equal(
      (await control(azure, 'POST', '/accounts/vision/regenerate', { keyName: 'Key2' })).status,
      204,
    );
    assert.equal((await control(azure, 'DELETE', '/accounts/vision')).status, 204);
    assert.equal((await settled(last)).length, 2);
    assert.equal((await control(azure, 'DELETE', '/accounts/vision')).status, 400);
    assert.equal(
      (await control(azure, 'POST', '/accounts/vision/regenerate', { keyName: 'Key2' })).status,
      400,
    );
  });

  test('an account that is deleted serves nobody; created again it has other keys, and knows none of its old tokens', async () => {
    const endpoint = azure.resources.find(({ name }) => name === 'translator')?.endpoint ?? '';
    const operator = await callerToken(azure, 'operator', 'https://vault.azure.net/.default');
    const { value: key } = await secretValue('translator-key', operator);
    const buy = (withKey: string) =>
      fetch(`${endpoint}/sts/v1.0/issueToken`, {
        method: 'POST',
        headers: { 'ocp-apim-subscription-key': withKey },
      });
    const bought = await (await buy(key)).text();
    const use = async () => {
      const url = `${endpoint}/translator/text/v3.0/translate?api-version=3.0&to=de`;
      const headers = { authorization: `Bearer ${bought}`, 'content-type': 'application/json' };
      return (await fetch(url, { method: 'POST', headers, body: '[{"Text":"hello"}]' })).status;
    };
    assert.equal(await use(), 200);

    const { last } = await events(0);
    assert.equal((await control(azure, 'DELETE', '/accounts/translator')).status, 204);
    assert.equal((await buy(key)).status, 401);
    assert.notEqual(await use(), 200);
    // With or without a body.
    assert.equal((await control(azure, 'PUT', '/accounts/translator')).status, 204);
    assert.equal((await buy(key)).status, 401, 'the old key is none of the new account');
    assert.equal(await use(), 401);
    assert.deepEqual(
      (await settled(last)).map(({ type }) => type),
      ['Microsoft.Resources.ResourceDeleteSuccess', 'Microsoft.Resources.ResourceWriteSuccess'],
    );
    assert.equal((await control(azure, 'PUT', '/accounts/translator', { newKeyLagMs: 1 })).status, 204);
    assert.equal((await events(0)).last, last + 2, 'an account that is there is not created again');
  });

  test('a secret is soft-deleted by hand and recovered, as often as it is asked', async () => {
    const operator = await callerToken(azure, 'operator', 'https://vault.azure.net/.default');
    const put = async (deleted: boolean) =>
      (await control(azure, 'PUT', '/secrets/chat-key', { deleted })).status;
    const before = await secretValue('chat-key', operator);
    for (const deleted of [true, true]) assert.equal(await put(deleted), 204);
    assert.equal((await secretValue('chat-key', operator)).status, 404);
    for (const deleted of [false, false]) assert.equal(await put(deleted), 204);
    assert.deepEqual(await secretValue('chat-key', operator), before);
  });

  test('one service whose clock is off dates by it what it does, and no other does', async () => {
    const aheadOf = async (name: string) => {
      const { iat } = claimsOf(await callerToken(azure, name));
      return Number(iat) - stand.now() / 1000;
    };
    assert.ok(Math.abs(await aheadOf('captions')) < 5);
    const off = (service: string, offsetMs: number) =>
      control(azure, 'PUT', `/clocks/${service}`, { offsetMs });
    assert.deepEqual(await off('entra', -30_000), { status: 204, text: '' });
    assert.ok(Math.abs((await aheadOf('captions')) + 30) < 5);
    await control(azure, 'POST', '/clock', { advanceSeconds: 60 });
    assert.ok(Math.abs((await aheadOf('captions')) + 30) < 5, 'also when virtual time has moved');
    assert.equal((await off('entra', 0)).status, 204);

    const { last } = await events(0);
    await off('arm', 45_000);
    await control(azure, 'POST', '/accounts/speech/regenerate', { keyName: 'Key2' });
    await settled(last);
    const told = JSON.parse(stand.deliveries[0]?.body ?? '') as { eventTime: string };
    assert.ok(Math.abs(Date.parse(told?.eventTime ?? '') - stand.now() - 45_000) < 5000);
    for (const service of ['identity', 'keyvault', 'sts', 'graph', 'arm', 'instance-1'])
      assert.equal((await off(service, 0)).status, 204);
  });
});

suite('events', () => {
  test('a key regenerated by hand is told in the Event Grid schema, as one message of the queue', async () => {
    const { last } = await events(0);
    await control(azure, 'POST', '/accounts/speech/regenerate', { keyName: 'Key1' });
    const [event] = await settled(last);
    assert.deepEqual(
      [event?.type, event?.status, event?.attempts, event?.state],
      ['Microsoft.Resources.ResourceActionSuccess', 201, 1, 'delivered'],
    );
    const [delivery] = stand.deliveries;
    assert.match(delivery?.url ?? '', /^\/devstoreaccount1\/events\/messages\?/);
    const body = JSON.parse(delivery?.body ?? '') as { data: { operationName: string } };
    assert.equal(body.data.operationName, 'Microsoft.CognitiveServices/accounts/regenerateKey/action');
  });

  test('a changed user is told as one CloudEvent that does not say what changed', async () => {
    const { last } = await events(0);
    await control(azure, 'PUT', '/users/ada', { accountEnabled: true });
    const [event] = await settled(last);
    assert.equal(event?.type, 'Microsoft.Graph.UserUpdated');
    const [delivery] = stand.deliveries;
    // Ticks are a bare number beyond what a double holds.
    assert.match(delivery?.body ?? '', /"sequenceNumber":6\d{17}[,}]/);
    const body = JSON.parse(delivery?.body ?? '') as Record<string, unknown> & {
      data: Record<string, unknown>;
    };
    const ada = azure.callers.find(({ name }) => name === 'ada')?.objectId;
    assert.deepEqual(
      [body['specversion'], body['type'], body['subject'], body.data['changeType'], body.data['resource']],
      ['1.0', 'Microsoft.Graph.UserUpdated', `Users/${ada}`, 'updated', `Users/${ada}`],
    );
    assert.deepEqual(Object.keys(body.data['resourceData'] as object).sort(), [
      '@odata.id',
      '@odata.type',
      'eventTime',
      'id',
      'organizationId',
      'sequenceNumber',
    ]);
  });

  test('an outage of the receiver is met with the same event again, after Event Grid has waited in virtual time', async () => {
    for (const status of [500, 503, 404, 403, 429]) {
      stand.answerEvents(status);
      stand.deliveries.length = 0;
      const { last } = await events(0);
      await control(azure, 'PUT', '/users/ada', { accountEnabled: true });
      const [first] = await settled(last);
      assert.deepEqual([first?.status, first?.state], [status, 'waiting']);
      stand.answerEvents(201);
      await control(azure, 'POST', '/clock', { advanceSeconds: 9 });
      assert.equal(stand.deliveries.length, 1, 'not before ten seconds');
      await control(azure, 'POST', '/clock', { advanceSeconds: 2 });
      await until(async () => (await events(last)).events[0]?.state === 'delivered', 'delivered again');
      const [before, again] = stand.deliveries;
      assert.equal(again?.body, before?.body);
    }
  });

  test('400 and 413 end it: never sent again', async () => {
    for (const status of [400, 413]) {
      stand.answerEvents(status);
      stand.deliveries.length = 0;
      const { last } = await events(0);
      await control(azure, 'PUT', '/users/ada', { accountEnabled: true });
      const [event] = await settled(last);
      assert.deepEqual([event?.status, event?.state], [status, 'dropped']);
      await control(azure, 'POST', '/clock', { advanceSeconds: 3600 });
      assert.equal(stand.deliveries.length, 1);
    }
  });

  test('after a day Event Grid gives up', async () => {
    stand.answerEvents(500);
    const { last } = await events(0);
    await control(azure, 'PUT', '/users/ada', { accountEnabled: true });
    await settled(last);
    await control(azure, 'POST', '/clock', { advanceSeconds: 90_000 });
    await until(async () => (await events(last)).events[0]?.state === 'dropped', 'given up');
    assert.equal((await events(last)).events[0]?.attempts, 2, 'looked at once more, at the next attempt');
  });

  test('someone who joins or leaves a group is told for the group too', async () => {
    const { last } = await events(0);
    await control(azure, 'PUT', '/users/ada', { groups: [] });
    assert.deepEqual(
      (await settled(last)).map(({ type }) => type),
      ['Microsoft.Graph.UserUpdated', 'Microsoft.Graph.GroupUpdated'],
    );
  });
});

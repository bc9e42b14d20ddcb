import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { rewriteDate } from '../../../src/local/host/event-dates.ts';
import { seen } from './app/seen.ts';
import { ask, startTestHost } from './running.ts';

let host: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  host = await startTestHost();
});
after(() => host.close());
beforeEach(() => {
  seen.events = [];
  seen.mostRunning = 0;
});

const webhook = '/runtime/webhooks/eventgrid?functionName=listen';
const send = (body: unknown, type = 'Notification', path = webhook, method = 'POST') =>
  ask(host.url, path, {
    method,
    headers: [...(type ? ['aeg-event-type', type] : []), 'Content-Type', 'application/json'],
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const event = (id: string, data: object = {}) => ({ id, eventType: 'Test', subject: 's', data });

describe('the Event Grid webhook', () => {
  it('answers the validation of a subscription with its code', async () => {
    const { status, body, headers } = await send(
      [event('1', { validationCode: 'the-code' })],
      'SubscriptionValidation',
    );
    assert.deepEqual(
      [status, body, headers['content-type']],
      [200, '{"validationResponse":"the-code"}', 'text/plain; charset=utf-8'],
    );
  });
  it('is found in any case and with a slash at its end, its function by the exact name', async () => {
    assert.equal((await send([], '', '/Runtime/Webhooks/EventGrid/?functionName=listen')).status, 400);
    for (const name of ['Listen', 'unknown', 'echo', '']) {
      const { status, body } = await send(
        [event('1')],
        'Notification',
        `/runtime/webhooks/eventgrid?functionName=${name}`,
      );
      assert.deepEqual([status, body], [404, `cannot find function: '${name}'`]);
    }
  });
  it('delivers an array, a single event and an empty array, by POST and PUT, in chunks too', async () => {
    for (const [body, delivered] of [
      [[event('1')], 1],
      [event('2'), 1],
      [[], 0],
    ] as const) {
      seen.events = [];
      const answer = await send(body, 'notification');
      assert.deepEqual([answer.status, answer.body, seen.events.length], [202, '', delivered]);
    }
    assert.equal((await send([event('3')], 'Notification', webhook, 'PUT')).status, 202);
    const chunked = { method: 'POST', headers: ['aeg-event-type', 'Notification'], chunked: true };
    seen.events = [];
    assert.equal(
      (await ask(host.url, webhook, { ...chunked, body: JSON.stringify(event('4')) })).status,
      202,
    );
    assert.equal(seen.events.length, 1);
  });
  it('runs one invocation an event, in parallel', async () => {
    await send([event('1'), event('2'), event('3')]);
    assert.equal(seen.mostRunning, 3);
    assert.deepEqual(seen.events.map((each) => each.event['id']).sort(), ['1', '2', '3']);
  });
  it('answers 500 where one failed, and runs the others', async () => {
    const { status, body } = await send([event('1', { fail: true }), event('2')]);
    assert.deepEqual([status, body], [500, 'Exception while executing function: Functions.listen']);
    assert.equal(seen.events.length, 2);
  });
  it('answers an empty 500 for what is not JSON', async () => {
    const { status, body } = await send('{');
    assert.deepEqual([status, body], [500, '']);
  });
  it('answers an empty 500 for what is nested more than 64 deep, as its JSON reader does, and asks no function', async () => {
    const nested = (depth: number) => `{"data":${'['.repeat(depth - 1)}"}{"${']'.repeat(depth - 1)}}`;
    assert.equal((await send(nested(64))).status, 202);
    seen.events = [];
    for (const depth of [65, 3_000]) {
      const { status, body } = await send(nested(depth));
      assert.deepEqual([status, body, seen.events.length], [500, '', 0]);
    }
  });
  it('does not ask for the members of an event', async () => {
    assert.equal((await send({ anything: 1 })).status, 202);
    assert.deepEqual(seen.events[0]?.event, { anything: 1 });
  });
  it('takes Unsubscribe without delivering it', async () => {
    assert.equal((await send([event('1')], 'Unsubscribe')).status, 202);
    assert.equal(seen.events.length, 0);
  });
  it('answers an empty 400 for another type or none, and for GET', async () => {
    for (const type of ['', 'Other', 'notifications']) {
      const { status, body } = await send([event('1')], type);
      assert.deepEqual([status, body], [400, '']);
    }
    const get = await ask(host.url, webhook, { headers: ['aeg-event-type', 'Notification'] });
    assert.equal(get.status, 400);
  });
  it('delivers a whole CloudEvent, one or a batch, only with an event type header', async () => {
    const cloud = { specversion: '1.0', id: '1', type: 't', source: 's', data: { a: 1 }, extension: 'e' };
    assert.equal((await send(cloud)).status, 202);
    assert.deepEqual(seen.events[0]?.event, cloud);
    assert.equal((await send([cloud, cloud])).status, 202);
    assert.equal(seen.events.length, 3);
    assert.equal((await send(cloud, '')).status, 400);
    const binary = ['ce-id', '1', 'ce-type', 't', 'ce-source', 's', 'ce-specversion', '1.0'];
    assert.equal((await ask(host.url, webhook, { method: 'POST', headers: binary, body: '{}' })).status, 400);
  });
  it('allows every origin on OPTIONS, for a function that exists', async () => {
    const { status, headers } = await ask(host.url, webhook, { method: 'OPTIONS' });
    assert.deepEqual([status, headers['webhook-allowed-origin']], [200, 'eventgrid.azure.net']);
    const unknown = await ask(host.url, '/runtime/webhooks/eventgrid?functionName=x', { method: 'OPTIONS' });
    assert.equal(unknown.status, 404);
  });
  it('gives the data once more as trigger metadata, with its keys in camel case', async () => {
    await send([event('1', { ObjectName: 'a' })]);
    assert.deepEqual(seen.events[0]?.triggerMetadata, { data: { objectName: 'a' } });
    assert.deepEqual(seen.events[0]?.event['data'], { ObjectName: 'a' });
  });
  it('rewrites what looks like an instant, anywhere in the event', async () => {
    await send([event('1', { deep: [{ at: '2026-03-04T10:15:05.100Z' }] })]);
    assert.deepEqual(seen.events[0]?.event['data'], { deep: [{ at: '2026-03-04T10:15:05.1Z' }] });
  });
});

describe('a date in an event', () => {
  const zone = process.env['TZ'];
  before(() => {
    process.env['TZ'] = 'Europe/Berlin';
  });
  after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  const rewritten: [string, string][] = [
    ['2026-03-04T10:15:05.100Z', '2026-03-04T10:15:05.1Z'],
    ['2026-03-04T10:15:05.000Z', '2026-03-04T10:15:05Z'],
    ['2026-03-04T10:15:05Z', '2026-03-04T10:15:05Z'],
    ['2026-03-04T10:15:05.123456789Z', '2026-03-04T10:15:05.1234567Z'],
    ['2026-03-04T10:15:05+02:00', '2026-03-04T09:15:05+01:00'],
    ['2026-03-04T23:45:05.250-01:00', '2026-03-05T01:45:05.25+01:00'],
    ['/Date(1772619305100)/', '2026-03-04T10:15:05.1Z'],
    ['/Date(0)/', '1970-01-01T00:00:00Z'],
    ['2026-03-04', '2026-03-04'],
    ['2026-03-04T10:15:05', '2026-03-04T10:15:05'],
    ['2026-13-04T10:15:05Z', '2026-13-04T10:15:05Z'],
    ['at 2026-03-04T10:15:05.100Z', 'at 2026-03-04T10:15:05.100Z'],
    ['/Date(99999999999999999999)/', '/Date(99999999999999999999)/'],
  ];
  for (const [from, to] of rewritten)
    it(`${from === to ? 'stays' : `becomes ${to}`} where it is ${from}`, () => {
      assert.equal(rewriteDate(from), to);
    });
});

/** Traces and metrics of a whole run, as an OTLP collector decodes them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { demandScene } from '../flows/demand-scene.ts';
import type { SpanData } from './collector.ts';
import { rotateBoth, type Scene, startScene } from './scene.ts';
import { treeOf } from './tree.ts';

let scene: Scene;
const folder = mkdtempSync(join(tmpdir(), 'telemetry-'));
before(async () => {
  scene = await startScene({ BROKER_ROTATION_SCHEDULE: '0 0 0 1 1 *' }, ['--data', folder]);
  await demandScene(scene.stack).tick();
});
after(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const secrets = new Set<string>();
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const bodyOf = (subject_token: string, resource: string, rest = {}): string =>
  new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource,
    ...rest,
  }).toString();
const childrenOf = (span: SpanData): string[] =>
  scene.collector.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).map(({ name }) => name);

test("an exchange is one trace, the caller's, with a span for each thing that took place", async () => {
  const token = await scene.stack.callerToken('captions');
  secrets.add(token);
  const traceparent = `00-${TRACE}-b7ad6b7169203331-00`;
  const { body } = await scene.stack.post(bodyOf(token, 'speech'), { ...form, traceparent });
  secrets.add(String(body['access_token']));
  const root = await scene.span(({ traceId, kind }) => traceId === TRACE && kind === 'SPAN_KIND_SERVER');
  assert.equal(root.parentSpanId, 'b7ad6b7169203331');
  assert.equal(root.attributes['broker.outcome'], 'granted');
  const names = childrenOf(root);
  for (const name of ['verify', 'match', 'freshness', 'mint', 'audit'])
    assert.ok(names.includes(name), treeOf(scene.collector.spans, TRACE));
  const mint = scene.collector.spans.find(({ name, traceId }) => traceId === TRACE && name === 'mint');
  assert.ok(mint && childrenOf(mint).includes('sts issueToken'));
  const again = '0af7651916cd43dd8448eb211c80319d';
  await scene.stack.post(bodyOf(token, 'speech'), {
    ...form,
    traceparent: `00-${again}-b7ad6b7169203331-01`,
  });
  const cached = await scene.span(({ traceId, kind }) => traceId === again && kind === 'SPAN_KIND_SERVER');
  assert.ok(!childrenOf(cached).includes('mint'), 'a token that is cached is not bought');
});

test('the correlation id that a caller is told is the trace id', async () => {
  const token = await scene.stack.callerToken('outsider');
  secrets.add(token);
  const { body } = await scene.stack.post(bodyOf(token, 'speech'), form);
  const root = await scene.span(({ traceId }) => traceId === body['correlation_id']);
  assert.equal(root.attributes['broker.outcome'] ?? 'refused', 'refused');
});

test('a misplaced token is in no attribute, whatever is wrong with the request', async () => {
  const token = await scene.stack.callerToken('captions');
  secrets.add(token);
  for (const rest of [{ resource: token }, { scope: token }, { requested_token_type: token }])
    await scene.stack.post(bodyOf(token, 'speech', rest), { ...form, traceparent: token });
  await scene.stack.control('PUT', '/faults/keyvault', { mode: 'garbage' });
  const ada = await scene.stack.callerToken('ada');
  secrets.add(ada);
  await scene.stack.post(bodyOf(ada, 'chat'), form);
  await scene.stack.control('DELETE', '/faults');
});

test('a rotation is a trace for each tick, with a span for the resource and one for its step', async () => {
  const traces = await rotateBoth(scene, 'speech');
  const steps = scene.collector.spans.filter(
    ({ traceId, attributes }) =>
      traces.includes(traceId) &&
      attributes['broker.resource'] === 'speech' &&
      attributes['broker.rotation.step'] !== undefined,
  );
  for (const step of ['prove', 'publish', 'regenerate', 'tidy'])
    assert.ok(
      steps.some(({ name }) => name === step),
      step,
    );
  const inTicks = steps.filter(({ parentSpanId }) =>
    scene.collector.spans.some(({ spanId, name }) => spanId === parentSpanId && name === 'speech'),
  );
  assert.ok(inTicks.length >= steps.length - 1, 'only the first step is made by the demand itself');
});

test('a reaction is a trace from the event to the moment when it is in force', async () => {
  const traceparent = '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const event = {
    id: '1',
    source: '/local',
    specversion: '1.0',
    type: 'AzureAiTokenBroker.RevocationRequested',
    time: new Date().toISOString(),
    traceparent,
    data: { scope: { kind: 'grant', name: 'captions' }, reason: 'a test' },
  };
  const { broker } = scene.stack.description;
  const answer = await fetch(`${broker}/runtime/webhooks/eventgrid?functionName=react`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'aeg-event-type': 'Notification' },
    body: JSON.stringify(event),
  });
  assert.ok(answer.ok, String(answer.status));
  const root = await scene.span(
    ({ name, traceId }) => name === 'reaction' && traceId === traceparent.split('-')[1],
  );
  assert.ok(Number(root.attributes['broker.revocation.time_to_effect']) >= 0);
  const names = childrenOf(root);
  assert.ok(names.indexOf('tables write revocation') < names.indexOf('tables bump head'), names.join());
});

test('the metrics say what happened, and no label names a caller', async () => {
  await wait(1_500);
  const points = scene.collector.points();
  const of = (name: string, labels: Record<string, unknown> = {}) =>
    points.filter(
      (point) =>
        point.name === name &&
        Object.entries(labels).every(([label, value]) => point.attributes[label] === value),
    );
  const total = (name: string, labels?: Record<string, unknown>): number =>
    of(name, labels).reduce((sum, { value }) => sum + value, 0);
  assert.ok(total('broker.exchange.duration', { 'broker.outcome': 'granted' }) >= 2);
  assert.ok(total('broker.exchange.duration', { 'error.type': 'request_malformed' }) >= 1);
  assert.ok(total('broker.cache.lookups', { 'broker.cache': 'token', 'broker.cache.result': 'hit' }) >= 1);
  assert.ok(total('broker.head.looks') >= total('broker.head.reads'));
  for (const name of [
    'broker.upstream.duration',
    'broker.audit.batch.size',
    'broker.revocation.time_to_effect',
  ])
    assert.ok(total(name) > 0, name);
  assert.equal(total('broker.rotation.steps', { 'broker.rotation.step': 'regenerate' }), 2);
  assert.equal(of('broker.key.age', { 'broker.resource': 'speech' }).length, 2);
  assert.ok(total('broker.key.propagation', { 'broker.key': 'new' }) === 2);
  for (const name of ['broker.drain.left', 'broker.rotation.overdue', 'broker.rotation.stuck'])
    assert.equal(of(name, { 'broker.resource': 'speech' })[0]?.value, 0, name);

  const people = scene.stack.description.callers.flatMap(({ objectId, clientId }) => [objectId, clientId]);
  const labels = JSON.stringify(points.map(({ attributes }) => attributes));
  for (const id of people) assert.ok(!labels.includes(id), id);
  assert.ok(points.length < 120, `${points.length} time series`);
});

test('no token, no key and no URL is in anything that was exported', () => {
  const accounts = readFileSync(join(folder, 'accounts.json'), 'utf8');
  for (const [, key = ''] of accounts.matchAll(/"value":"([^"]+)"/g)) secrets.add(key);
  assert.ok(secrets.size > 8 && !secrets.has('undefined'));
  const exported = scene.collector.bodies.map((body) => body.toString('latin1'));
  assert.ok(exported.length > 10);
  for (const text of exported) {
    for (const secret of secrets)
      for (const part of [secret, secret.slice(0, 40), secret.slice(-30)])
        assert.ok(!text.includes(part), `a secret of ${secret.length} characters`);
    assert.doesNotMatch(text, /eyJ[\w-]{10,}|https?:\/\//);
  }
});

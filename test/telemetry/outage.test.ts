/** A collector that is slow, silent or gone: exchanges do not notice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openSdk } from '../../src/telemetry/sdk.ts';
import { recordTraces, spanOf, traced } from '../../src/telemetry/trace.ts';
import { startStack } from '../flows/stack.ts';
import { startCollector } from './collector.ts';

/** Nobody listens there. */
const GONE = 'http://127.0.0.1:1';

test('no exchange fails or waits while the collector is gone or never answers, and the log says so', async () => {
  await using hanging = await startCollector(true);
  const p90s: number[] = [];
  for (const endpoint of [undefined, GONE, hanging.url]) {
    await using stack = await startStack([], {
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
      BROKER_TRACE_SHARE: '1',
      ...(endpoint !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    });
    await stack.warm();
    await wait(1_500);
    const token = await stack.callerToken('captions');
    const took: number[] = [];
    for (let at = 0; at < 200; at += 1) {
      const startedAtMs = performance.now();
      assert.equal((await stack.exchange(token, 'speech')).status, 200);
      took.push(performance.now() - startedAtMs);
    }
    p90s.push(took.sort((a, b) => a - b)[180] ?? Number.NaN);
    if (endpoint === GONE) assert.match(stack.log(), /telemetry_not_exported/);
  }
  assert.ok(hanging.bodies.length > 0, 'it was sent something');
  const [off = 0, ...on] = p90s;
  // Far less than a timeout of the exporter. The machine of a test is not the place for a finer bound.
  for (const p90 of on) assert.ok(p90 < off * 3 + 100, p90s.join());
});

test('what waits for a collector that never answers is bounded, and the end of the process waits for it briefly', async () => {
  await using hanging = await startCollector(true);
  const told: string[] = [];
  const sdk = openSdk({
    endpoint: hanging.url,
    service: 'test',
    instance: 'test',
    log: (event) => told.push(event),
  });
  recordTraces({ share: 1, emit: sdk.emit });
  const heap = (): number => process.memoryUsage().heapUsed / 1_048_576;
  const some = async (): Promise<void> => {
    for (let at = 0; at < 20_000; at += 1) {
      const traceId = crypto.randomUUID().replaceAll('-', '');
      await traced({ name: 'root', kind: 'server', traceId }, () => spanOf('a', {}, async () => undefined));
    }
  };
  await some();
  const before = heap();
  for (let round = 0; round < 5; round += 1) await some();
  assert.ok(heap() - before < 60, `${heap() - before} MiB`);
  recordTraces(undefined);
  const startedAtMs = performance.now();
  await sdk.flush();
  assert.ok(performance.now() - startedAtMs < 3_000);
});

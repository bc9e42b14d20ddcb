/** A collector that is slow, silent or gone: exchanges do not notice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
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
    // An export is given up after five seconds of tries.
    for (let left = 100; endpoint === GONE && !stack.log().includes('telemetry_not_exported'); left -= 1) {
      assert.ok(left > 0, 'the log does not say that nothing is exported');
      await wait(100);
    }
  }
  assert.ok(hanging.bodies.length > 0, 'it was sent something');
  const [off = 0, ...on] = p90s;
  // Far less than a timeout of the exporter. The machine of a test is not the place for a finer bound.
  for (const p90 of on) assert.ok(p90 < off * 3 + 100, p90s.join());
});

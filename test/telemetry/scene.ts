/** The local mode with telemetry on, its traces all kept, and a collector. */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { demandScene } from '../flows/demand-scene.ts';
import { type Stack, startStack } from '../flows/stack.ts';
import { type Collector, type SpanData, startCollector } from './collector.ts';

export interface Scene extends AsyncDisposable {
  readonly stack: Stack;
  readonly collector: Collector;
  /** Waits until the collector has such a span. */
  span(wanted: (span: SpanData) => boolean): Promise<SpanData>;
}

export async function startScene(
  environment: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Scene> {
  const collector = await startCollector();
  const stack = await startStack(args, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_BSP_SCHEDULE_DELAY: '200',
    BROKER_TRACE_SHARE: '1',
    ...environment,
  });
  return {
    stack,
    collector,
    span: async (wanted) => {
      for (let tries = 0; tries < 200; tries += 1) {
        const found = collector.spans.find(wanted);
        if (found !== undefined) {
          // What belongs to it is in the same export, or in the next.
          await wait(500);
          return found;
        }
        await wait(100);
      }
      assert.fail(`no such span; there are ${collector.spans.map(({ name }) => name).join(', ')}`);
    },
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    },
  };
}

/**
 * Has both keys of an account replaced, and waits until they are.
 * @returns the traces of the ticks that made a step, in order
 */
export async function rotateBoth({ stack, collector }: Scene, resource: string): Promise<string[]> {
  const scene = demandScene(stack);
  const isOver = async (): Promise<boolean> => {
    const { state } = await scene.sight(resource);
    return state.generation > 1 && state.work === undefined;
  };
  assert.equal(await scene.place(stack.description.broker, resource, { reason: 'to see its trace' }), 202);
  for (let ticks = 0; ticks < 40 && !(await isOver()); ticks += 1) {
    await scene.tick();
    await stack.control('POST', '/clock', { advanceSeconds: 310 });
  }
  assert.ok(await isOver(), stack.log());
  await wait(1_500);
  const steps = collector.spans.filter(
    ({ attributes }) =>
      attributes['broker.resource'] === resource && attributes['broker.rotation.step'] !== undefined,
  );
  return [...new Set(steps.map(({ traceId }) => traceId))];
}

/** Runs the rotation's timer now. */
export async function tick({ stack }: Scene): Promise<void> {
  const { apps } = stack.description;
  const response = await fetch(`${apps.rotator[0]}/admin/functions/rotate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  });
  assert.equal(response.status, 202);
}

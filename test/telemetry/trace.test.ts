/** Which traces are kept, and what is written down of them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { idOf, type Span } from '../../src/telemetry/span.ts';
import { recordTraces, spanNow, spanOf, tell, traced, traceHeaders } from '../../src/telemetry/trace.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

const emitted: Span[] = [];
const record = (share: number): void => recordTraces({ share, emit: (span) => emitted.push(span) });
beforeEach(() => {
  emitted.length = 0;
});
afterEach(() => recordTraces(undefined));

const ID = '0af7651916cd43dd8448eb211c80319c';
const root = { name: 'root', kind: 'server', traceId: ID, slowMs: 1_000 } as const;
const names = (): string[] => emitted.map(({ name }) => name);

test('while telemetry is off the work is done, and nothing is written down', async () => {
  assert.equal(await traced(root, () => spanOf('a', {}, async () => spanNow('b', () => 7))), 7);
  assert.deepEqual([emitted, traceHeaders()], [[], {}]);
});

test('of traces that are quick and went well the share is kept, by the last digits of the trace id alone', async () => {
  record(0.25);
  let kept = 0;
  for (let at = 0; at < 1_000; at += 1) {
    emitted.length = 0;
    const traceId = crypto.randomUUID().replaceAll('-', '');
    await traced({ ...root, traceId }, async () => undefined);
    const isKept = emitted.length === 1;
    if (isKept) kept += 1;
    emitted.length = 0;
    await traced({ ...root, traceId }, async () => undefined);
    assert.equal(emitted.length === 1, isKept, 'every service that asks the id decides alike');
  }
  assert.ok(kept > 180 && kept < 320, String(kept));
});

test('a slow trace is kept whole, though nothing else is', async () => {
  record(0);
  await traced({ ...root, slowMs: 20 }, () => spanOf('a', {}, () => wait(30)));
  assert.deepEqual(names(), ['a', 'root']);
  await traced(root, () => spanOf('a', {}, async () => undefined));
  assert.equal(emitted.length, 2);
});

test('a failed trace is kept whole, whether its failure was thrown or told', async () => {
  record(0);
  const failure = new UpstreamFailure('sts', 'with a secret', 503);
  const failing = traced(root, () => spanOf('a', {}, () => Promise.reject(failure)));
  await assert.rejects(failing, failure);
  await traced(root, async () => tell({ 'broker.outcome': 'unavailable' }, 'sts'));
  assert.deepEqual(
    emitted.map(({ name, error }) => [name, error]),
    [
      ['a', '503'],
      ['root', '503'],
      ['root', 'sts'],
    ],
  );
});

test('spans know their parents, also where several run at once', async () => {
  record(1);
  await traced(root, async () => {
    await Promise.all(
      ['a', 'b'].map((name) =>
        spanOf(name, {}, async () => {
          await wait(2);
          await spanOf(`${name}1`, {}, () => wait(2), 'client');
        }),
      ),
    );
    spanNow('c', () => undefined);
  });
  const parents = Object.fromEntries(emitted.map(({ name, parent }) => [name, parent?.name]));
  assert.deepEqual(parents, { a: 'root', b: 'root', a1: 'a', b1: 'b', c: 'root', root: undefined });
});

test('a service is told the span that calls it, and whether its trace is sampled', async () => {
  for (const [share, flags] of [
    [1, '01'],
    [0, '00'],
  ] as const) {
    record(share);
    await traced({ ...root, slowMs: 0 }, () =>
      spanOf('call', {}, async () => {
        const { traceparent = '' } = traceHeaders();
        assert.match(traceparent, new RegExp(`^00-${ID}-[0-9a-f]{16}-${flags}$`));
        tell({ told: traceparent.split('-')[2] });
      }),
    );
    const call = emitted.find(({ name }) => name === 'call');
    assert.equal(call && idOf(call), call?.attributes['told']);
    emitted.length = 0;
  }
});

test('what ends after its trace has the same fate', async () => {
  for (const [share, expected] of [
    [1, ['root', 'behind']],
    [0, []],
  ] as const) {
    record(share);
    let behind: Promise<unknown> = Promise.resolve();
    await traced(root, async () => {
      behind = spanOf('behind', {}, () => wait(5));
    });
    await behind;
    assert.deepEqual(names(), expected);
    emitted.length = 0;
  }
});

test('a trace has a bound, and says how many spans are left out', async () => {
  record(1);
  await traced(root, async () => {
    for (let at = 0; at < 700; at += 1) await spanOf(`s${at}`, {}, async () => undefined);
  });
  assert.equal(emitted.length, 500);
  assert.equal(emitted.at(-1)?.attributes['broker.spans_left_out'], 201);
});

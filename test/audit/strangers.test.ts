import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStrangers } from '../../src/audit/strangers.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);

function world() {
  const state = {
    written: [] as AuditRecord[],
    due: [] as { ms: number; work: () => void }[],
    logged: [] as unknown[],
    isDown: false,
    isBroken: false,
  };
  const strangers = createStrangers({
    append: async (record) => {
      if (state.isBroken) throw new TypeError('a mistake of ours');
      if (state.isDown) throw new UpstreamFailure('tables', 'is down');
      state.written.push(record);
    },
    clock: () => NOW_MS,
    instance: 'i',
    later: (ms, work) => state.due.push({ ms, work }),
    log: (event, fields) => state.logged.push([event, fields]),
  });
  const elapse = async (): Promise<void> => {
    for (const { work } of state.due.splice(0)) work();
    await new Promise(setImmediate);
  };
  return { state, elapse, ...strangers };
}

test('10,000 refusals are one record for each reason, with a count and the correlation ids of five', async () => {
  const { state, elapse, refused } = world();
  for (let n = 0; n < 10_000; n += 1) refused(n % 4 === 0 ? 'caller_unverified: tenant' : 'other', `c-${n}`);
  assert.equal(state.written.length, 0);
  assert.deepEqual(
    state.due.map(({ ms }) => ms),
    [10_000],
  );
  await elapse();
  const common = { at: new Date(NOW_MS).toISOString(), outcome: 'refused', instance: 'i' };
  assert.deepEqual(state.written, [
    {
      ...common,
      correlationId: 'c-0',
      reason: 'caller_unverified: tenant',
      count: 2_500,
      samples: ['c-0', 'c-4', 'c-8', 'c-12', 'c-16'].map((correlationId) => ({ correlationId })),
    },
    {
      ...common,
      correlationId: 'c-1',
      reason: 'other',
      count: 7_500,
      samples: ['c-1', 'c-2', 'c-3', 'c-5', 'c-6'].map((correlationId) => ({ correlationId })),
    },
  ]);
  assert.deepEqual(state.due, [], 'and nothing runs while nobody is refused');
  refused('other', 'c');
  await elapse();
  assert.equal(state.written.at(-1)?.count, 1);
});

test('reasons without end are one record together', async () => {
  const { state, elapse, refused } = world();
  for (let n = 0; n < 1_000; n += 1) refused(`reason ${n}`, `c-${n}`);
  await elapse();
  assert.equal(state.written.length, 65);
  assert.equal(state.written.at(-1)?.count, 1_000 - 64);
});

test('a resource that was asked for is in a sample, however often others were; never more than ten samples', async () => {
  const { state, elapse, refused } = world();
  for (let n = 0; n < 1_000; n += 1) refused('expired', `c-${n}`, 'speech');
  refused('expired', 'late', 'chat');
  for (let n = 0; n < 1_000; n += 1) refused('expired', `c-${n}`, `made-up-${n}`);
  await elapse();
  const [{ count, samples = [] } = {}] = state.written;
  assert.equal(count, 2_001);
  assert.deepEqual(
    samples.slice(0, 6),
    [0, 1, 2, 3, 4]
      .map((n) => ({ correlationId: `c-${n}`, resource: 'speech' }))
      .concat({ correlationId: 'late', resource: 'chat' }),
  );
  assert.equal(samples.length, 10);
});

test('while the tables are down the count is logged, and nothing else happens', async () => {
  const { state, elapse, refused } = world();
  state.isDown = true;
  refused('a', 'c-1');
  refused('b', 'c-2');
  await elapse();
  assert.deepEqual(state.logged, [['refusals_not_recorded', { reason: 'tables: is down', count: 2 }]]);
});

test('a bug in the write is logged with its stack and is no unhandled rejection, which would end the process', async () => {
  const { state, elapse, refused } = world();
  state.isBroken = true;
  refused('a', 'c-1');
  await elapse();
  const [[event, fields] = []] = state.logged as [string, { reason: string; count: number }][];
  assert.equal(event, 'refusals_not_recorded');
  assert.match(fields?.reason ?? '', /^TypeError: a mistake of ours\n +at /);
  assert.equal(fields?.count, 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecorded } from '../../src/exchange/recorded-requests.ts';
import type { AuditRecord } from '../../src/ports.ts';

const START_MS = Date.parse('2026-11-22T12:00:00Z');
const HOUR_MS = 3_600_000;

function world() {
  const state = {
    nowMs: START_MS,
    records: [] as AuditRecord[],
    read: 0,
    stopAfter: Number.POSITIVE_INFINITY,
  };
  const recorded = createRecorded(
    async (fromMs, toMs, each) => {
      let told = 0;
      for (const record of state.records) {
        const atMs = Date.parse(record.at);
        if (atMs < fromMs || atMs > toMs) continue;
        if (told >= state.stopAfter) return 'unfinished';
        told += 1;
        state.read += 1;
        each(record);
      }
      return 'whole';
    },
    () => state.nowMs,
  );
  const add = (objectId: string, atMs: number, rest: Partial<AuditRecord> = {}): void => {
    state.records.push({
      at: new Date(atMs).toISOString(),
      correlationId: `${state.records.length}`,
      outcome: 'granted',
      instance: 'i',
      objectId,
      resource: 'speech',
      claims: { kind: 'application', issuedAt: Math.floor(atMs / 1000) },
      ...rest,
    });
  };
  const counts = async () =>
    Object.fromEntries((await recorded()).requests.map(({ record, count }) => [record.objectId, count]));
  return { state, add, recorded, counts };
}

test('equal requests are counted together, and each only once however often it is asked', async () => {
  const { state, add, counts } = world();
  for (let n = 0; n < 50; n += 1) add(n % 2 === 0 ? 'a' : 'b', START_MS - 3 * HOUR_MS + n * 1000);
  add('a', START_MS - 2_000);
  assert.deepEqual(await counts(), { a: 26, b: 25 });
  assert.deepEqual(await counts(), { a: 26, b: 25 });
  assert.equal(state.read, 52, 'what is long past is not read again');
  state.nowMs += 5_000;
  add('a', state.nowMs - 1_000);
  // Written late: it is dated before what was read last.
  add('b', state.nowMs - 6_000);
  assert.deepEqual(await counts(), { a: 27, b: 26 });
});

test('what is a week old is forgotten, and what is no request of a verified caller is not counted', async () => {
  const { state, add, counts } = world();
  add('a', START_MS - HOUR_MS);
  add('b', START_MS - HOUR_MS, { outcome: 'withheld' });
  add('c', START_MS - HOUR_MS, { act: 'revoke', outcome: 'done' });
  add('d', START_MS - HOUR_MS, { count: 4, outcome: 'refused' });
  assert.deepEqual(await counts(), { a: 1 });
  state.nowMs += 9 * 24 * HOUR_MS;
  assert.deepEqual(await counts(), {});
});

test('an audit that is too long to be read at once says until when, and goes on there', async () => {
  const { state, add, recorded } = world();
  for (let n = 0; n < 30; n += 1) add('a', START_MS - 30 * HOUR_MS + n * HOUR_MS);
  state.stopAfter = 20;
  const part = await recorded();
  assert.equal(part.until, new Date(START_MS - 11 * HOUR_MS).toISOString());
  const rest = await recorded();
  assert.equal(rest.until, undefined);
  assert.equal(
    rest.requests.reduce((sum, { count }) => sum + count, 0),
    30,
  );
});

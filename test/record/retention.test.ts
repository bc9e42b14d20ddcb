import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeBooks } from '../../src/record/close.ts';
import { gather } from '../../src/record/export.ts';
import { addMinutes, beginOf, minuteOf } from '../../src/record/minute.ts';
import type { AuditRow } from '../../src/record/ports.ts';
import { type Keep, removableBefore } from '../../src/record/retention.ts';
import { verify } from '../../src/record/verify.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { createChance } from '../simulation/random.ts';
import { differences, fullCount, rolledUp } from './full-count.ts';
import { Crash, portsTo, STRIKES, Storage } from './storage.ts';
import { rowAt } from './week.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BEGIN_MS = Date.parse('2026-11-20T00:00:00Z');
const at = (day: number): string => minuteOf(BEGIN_MS + day * DAY_MS);
const keep30 = { auditDays: 30, holdFromMs: undefined };
const closed = (day: number, removedBefore = '') => ({ minute: at(day), removedBefore });

test('whole days whose time is over may be removed, and it never moves back', () => {
  const now = BEGIN_MS + 40.6 * DAY_MS;
  assert.equal(removableBefore(now, keep30, closed(40)), at(10));
  assert.equal(
    removableBefore(now, { ...keep30, auditDays: 60 }, closed(40)),
    minuteOf(BEGIN_MS - 20 * DAY_MS),
  );
  assert.equal(removableBefore(now, { ...keep30, auditDays: 60 }, closed(40, at(10))), at(10));
});

test('nothing is removed before its minute was looked at for the last time', () => {
  const now = BEGIN_MS + 40.6 * DAY_MS;
  assert.equal(removableBefore(now, keep30, closed(5)), at(3));
  assert.equal(removableBefore(now, { ...keep30, auditDays: 0 }, closed(40)), at(38));
});

test('a legal hold keeps what was written since it, however old it becomes', () => {
  const now = BEGIN_MS + 400 * DAY_MS;
  const keep = { ...keep30, holdFromMs: BEGIN_MS + 12.3 * DAY_MS };
  assert.equal(removableBefore(now, keep, closed(400)), at(12));
});

/** Days with a closing each hour, which dies or fails at one step in fifty. */
async function days(count: number, keepOn: (day: number) => Keep) {
  const storage = new Storage();
  const chance = createChance(7);
  const written: AuditRow[] = [];
  const verdicts: ReturnType<typeof verify>[] = [];
  for (let hour = 0; hour < count * 24; hour += 1) {
    const nowMs = BEGIN_MS + hour * HOUR_MS;
    // The last rows are closed before the end.
    for (let row = 0; row < 3 && hour < (count - 2) * 24; row += 1) {
      const lateMs = chance.is(0.05) ? chance.between(0, 20) * HOUR_MS : 0;
      const made = rowAt(chance, nowMs - lateMs - chance.between(0, HOUR_MS), `alpha-${hour}-${row}`);
      storage.insert(made);
      written.push(made);
    }
    for (const probability of [0.02, 0])
      await closeBooks({
        ...portsTo(storage, async () => (chance.is(probability) ? chance.pick(STRIKES) : undefined)),
        clock: () => nowMs,
        log: () => undefined,
        keep: keepOn(hour / 24),
        isOver: () => false,
      }).catch((error) => assert.ok(error instanceof Crash || error instanceof UpstreamFailure));
    if (hour % (20 * 24) === 20 * 24 - 1)
      verdicts.push(verify(await gather(portsTo(storage), minuteOf(nowMs - 45 * DAY_MS), minuteOf(nowMs))));
  }
  return { storage, written, verdicts };
}

const hundredDays = days(100, () => keep30);

test('over a hundred days: what is old is gone, nothing else is, and the proof is whole over what is left', async () => {
  const { storage, written, verdicts } = await hundredDays;
  for (const { findings } of verdicts) assert.deepEqual(findings, []);
  assert.deepEqual(
    verdicts.map(({ removedBefore }) => removedBefore),
    [at(-11), at(9), at(29), at(49), at(69)],
  );
  const kept = written.filter(({ key }) => key >= at(69)).map(({ key }) => key);
  assert.deepEqual(
    storage.rows.all().map(({ key }) => key),
    kept.sort(),
  );
  assert.ok(storage.lists.all().every(({ minute }) => minute >= at(69)));

  // Days stay countable for ever, and hours as long as their rows.
  const differ = differences(fullCount(written), rolledUp(storage));
  assert.ok(differ.every((cell) => cell.startsWith('hour ') && cell.slice(5) < at(69)));
  assert.ok(differ.length > 100);
  assert.equal(storage.blobs.size, 101);
});

test('with a hold from the twentieth day on, nothing since then is gone', async () => {
  const { storage, written } = await days(50, (day) => ({
    auditDays: 10,
    holdFromMs: day < 25 ? undefined : BEGIN_MS + 20 * DAY_MS,
  }));
  const keys = new Set(storage.rows.all().map(({ key }) => key));
  const since = written.filter(({ key }) => key >= at(20));
  assert.ok(since.length > 1_500 && since.every(({ key }) => keys.has(key)));
  assert.ok(written.every(({ key }) => key >= at(20) || !keys.has(key)));
});

test('what is removed before its time, or by nobody of ours, is found, and a row that was never closed is not removed', async () => {
  const { storage } = await hundredDays;
  const [victim] = storage.rows.all();
  assert.ok(victim !== undefined);
  storage.rows.delete(victim.key.slice(0, 16), victim.key);
  const old = rowAt(createChance(1), beginOf(at(3)), 'mallory-1');
  storage.insert(old);
  const nowMs = BEGIN_MS + 100 * DAY_MS;
  const close = (ms: number) =>
    closeBooks({
      ...portsTo(storage),
      clock: () => ms,
      log: () => undefined,
      keep: keep30,
      isOver: () => false,
    });
  await close(nowMs);
  const found = verify(await gather(portsTo(storage), at(69), addMinutes(at(70), 0)));
  // At this day's end the boundary has just moved past the victim's day, so it is looked for where it has not.
  const isOver = found.removedBefore > victim.key;
  assert.deepEqual(
    found.findings,
    isOver ? [] : [{ kind: 'row_removed', minute: victim.key.slice(0, 16), row: victim.key }],
  );
  await close(nowMs + 2 * DAY_MS);
  assert.ok(storage.rows.all().some(({ key }) => key === old.key));
  const { findings } = verify(await gather(portsTo(storage), at(3), addMinutes(at(3), 10)));
  assert.deepEqual(findings, [{ kind: 'row_inserted', minute: at(3), row: old.key }]);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSchedule } from '../../../src/local/host/schedule.ts';

const TABLE: Record<string, string | null> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../ncrontab.json'), 'utf8'),
).schedules;
/**
 * When the hour moves on and the minute does not, the library forgets to set the second back, and its first
 * occurrence is a second late. The local host does not copy that mistake.
 */
const A_SECOND_LATE = ['*/1 */1 13-19 * */2 *'];
/** What the table was made with: three occurrences from each, and `never` instead of one that is later than END. */
const STARTS = ['2026-01-01T00:00:00Z', '2027-02-28T23:59:59Z'];
const END_MS = Date.UTC(2060, 0, 1);

function occurrences(next: (afterMs: number) => number, startMs: number): string[] {
  const found: string[] = [];
  let atMs = startMs;
  while (found.length < 3) {
    atMs = next(atMs);
    if (atMs >= END_MS) return [...found, 'never'];
    found.push(new Date(atMs).toISOString().replace('.000Z', 'Z'));
  }
  return found;
}

test("the local host's timers occur when Azure's would, for every schedule that Azure takes", () => {
  let held = 0;
  for (const [expression, times] of Object.entries(TABLE)) {
    // Time spans are no NCRONTAB expressions, and timers take them too.
    if (expression.includes(':') || A_SECOND_LATE.includes(expression)) continue;
    if (times === null || times.startsWith('never')) {
      assert.throws(() => parseSchedule(expression, {}), Error, expression);
      continue;
    }
    const { next } = parseSchedule(expression, {});
    const found = STARTS.flatMap((start) => occurrences(next, Date.parse(start)));
    assert.equal(found.join(' '), times, expression);
    held += 1;
  }
  assert.ok(held >= 200);
});

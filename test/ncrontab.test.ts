import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRotatorConfig } from '../src/config.ts';
import { parseNcrontab, scheduleProblem } from '../src/ncrontab.ts';

const TABLE: Record<string, string | null> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'ncrontab.json'), 'utf8'),
).schedules;
const isTaken = (expression: string) => !('kind' in parseNcrontab(expression));

test("what the host's own library takes and refuses is taken and refused, over 400 expressions", () => {
  const entries = Object.entries(TABLE);
  const wrong = entries.filter(([expression, times]) => isTaken(expression) !== (times !== null));
  assert.deepEqual(wrong, []);
  assert.ok(entries.length >= 400 && entries.filter(([, times]) => times !== null).length >= 200);
});

test('what never comes says so', () => {
  for (const [expression, times] of Object.entries(TABLE).filter(([, times]) => times?.startsWith('never')))
    assert.equal(
      scheduleProblem(expression),
      'no month it names has a day it names',
      `${expression} ${times}`,
    );
});

test('a schedule is refused with the reason', () => {
  for (const [expression, problem] of [
    ['mon */5 * * * *', 'the field of the second takes 0 to 59'],
    ['0 0 0 * foo *', 'the field of the month takes 1 to 12 or a name'],
    ['0 0 0 * * 7', 'the field of the weekday takes 0 to 6 or a name'],
    ['* * * *', 'five or six fields with blanks between them, not 4'],
    [
      '5-1 * * * * *',
      'the field of the second has a range that ends before it begins, and the host would swap the two',
    ],
    [
      '0 0 22-2 * * *',
      'the field of the hour has a range that ends before it begins, and the host would swap the two',
    ],
    ['0 */0 * * * *', 'the field of the minute has a step below 1, and the host would take it for 1'],
    ['0 0 0 30 feb *', 'no month it names has a day it names'],
  ] as const)
    assert.equal(scheduleProblem(expression), problem);
  for (const expression of ['0 */5 * * * *', '*/5 * * * *', '0 0 0 29 2 *', '0 30 9-17 * jan-MAR mon,Wed'])
    assert.equal(scheduleProblem(expression), undefined, expression);
});

test('the setting is refused with that reason', () => {
  assert.throws(() => readRotatorConfig({ BROKER_ROTATION_SCHEDULE: 'mon */5 * * * *' }), {
    message:
      /BROKER_ROTATION_SCHEDULE: must be an NCRONTAB expression: the field of the second takes 0 to 59/,
  });
});

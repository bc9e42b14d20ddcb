import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNcrontab } from '../src/ncrontab.ts';

test('what the Functions host understands is a schedule', () => {
  for (const text of [
    '0 */5 * * * *',
    '*/5 * * * *',
    '0 0 0 29 2 *',
    '0 30 9-17 * jan-MAR mon,Wed',
    '15,45 0-59/10 23 31 12 6',
  ])
    assert.ok(isNcrontab(text), text);
});

test('what would disable the timer is none', () => {
  for (const text of [
    '',
    'nonsense',
    '00:05:00',
    '99 * * * * *',
    '* * * *',
    '* * * * * * *',
    '0 60 * * * *',
    '0 0 24 * * *',
    '0 0 0 0 * *',
    '0 0 0 * 13 *',
    '0 0 0 * * 7',
    '0 */0 * * * *',
    '0 *-5 * * * *',
    '0 5- * * * *',
    '0 , * * * *',
    '0 0 0 * foo *',
  ])
    assert.ok(!isNcrontab(text), text);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedIn } from '../../src/record/records-of.ts';

const KEY = '2026-11-26T01:20:00.000Z-i-1';
const rowOf = (...records: readonly unknown[]) => ({
  key: KEY,
  count: records.length,
  resources: '',
  records: records.map((record) => JSON.stringify(record)).join('\n'),
});

test('a resource is counted under its name where it has the form of one, and under none where no key could hold it', () => {
  const names = [
    'speech',
    'a/b',
    'a#b',
    "a'b",
    'a?b',
    'a\\b',
    'a\u0000b',
    '日本',
    'x'.repeat(64),
    '',
    'Speech',
    7,
    null,
  ];
  const { counted, unreadable } = countedIn(
    rowOf(...names.map((resource) => ({ outcome: 'granted', grant: 'g', resource }))),
  );
  assert.equal(unreadable, 0);
  assert.deepEqual(
    counted.map(({ resource }) => resource),
    ['speech', ...names.slice(1).map(() => '')],
  );
});

test('whatever a row holds is counted or told to be unreadable, and ends nothing', () => {
  const { counted, unreadable } = countedIn({
    key: KEY,
    count: Number.NaN,
    resources: 'undefined',
    records: ['', '[]', 'null', '"a"', '{', '{"outcome":7,"count":-1,"at":"never"}', '{"act":"revoke"}'].join(
      '\n',
    ),
  });
  assert.equal(unreadable, 5);
  assert.deepEqual(
    counted.map(({ outcome, count, lastAtMs }) => [outcome, count, lastAtMs]),
    [['', 1, Date.parse('2026-11-26T01:20:00Z')]],
  );
});

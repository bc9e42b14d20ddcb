import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { styleFor } from '../../../src/cli/render/style.ts';
import { facts, table } from '../../../src/cli/render/table.ts';
import { clean, wrap } from '../../../src/cli/render/text.ts';
import { span, times } from '../../../src/cli/render/time.ts';

const columns = [
  { head: 'NAME', atLeast: 6 },
  { head: 'STATE', giveWay: 2 },
  { head: 'WHY', atLeast: 8, giveWay: 1 },
];

test('a table is never wider than the terminal, from the width on that its first column needs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string(), fc.string(), fc.string()), { maxLength: 6 }),
      fc.integer({ min: 6, max: 200 }),
      (rows, width) => {
        const lines = table(columns, rows, width).split('\n').slice(0, -1);
        assert.equal(lines.length, rows.length + 1);
        for (const line of lines) assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
      },
    ),
  );
});

test('in a pipe nothing is cut, and what gives way goes in its order', () => {
  const row = ['a-long-name', 'steady', 'because it is so'];
  assert.equal(
    table(columns, [row], undefined),
    'NAME         STATE   WHY\na-long-name  steady  because it is so\n',
  );
  assert.equal(table(columns, [row], 30), 'NAME         STATE   WHY\na-long-name  steady  because …\n');
  assert.equal(table(columns, [row], 20), 'NAME        WHY\na-long-na…  because…\n');
  assert.equal(table(columns, [row], 10), 'NAME\na-long-na…\n');
});

test('what comes from elsewhere can neither move the cursor nor turn the direction of writing', () => {
  const hostile = 'a\u001b[2Jb\r\nc\u202ed\u2028e';
  assert.equal(clean(hostile), 'a [2Jb  c d e');
  assert.ok(!table([{ head: 'X' }], [[hostile]], undefined).includes('\u001b'));
  assert.ok(!facts([['x', hostile]]).includes('\u001b'));
});

test('colour is for a terminal whose person has not asked for none', () => {
  const terminal = { write: () => undefined, isTerminal: true, columns: 80 };
  assert.equal(styleFor({ env: {} }, terminal).bad('x'), '\u001b[31mx\u001b[39m');
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
    assert.equal(styleFor({ env }, terminal).bad('x'), 'x', JSON.stringify(env));
  assert.equal(styleFor({ env: {} }, { ...terminal, isTerminal: false }).bad('x'), 'x');
});

test('times are told as people count them, and exactly with --utc', () => {
  const now = Date.parse('2026-11-27T00:00:00Z');
  const told = times(now, false);
  assert.equal(told.at('2026-11-27T00:09:58Z'), 'in 9 min 58 s');
  assert.equal(told.at('2026-11-23T20:00:00Z'), '3 d 4 h ago');
  assert.equal(told.brief('2026-11-23T20:00:00Z'), '3 d ago');
  assert.equal(told.at('2026-11-27T00:00:00.400Z'), 'now');
  assert.equal(told.at(undefined), undefined);
  assert.equal(times(now, true).at('2026-11-23T20:00:00Z'), '2026-11-23T20:00:00Z');
  assert.equal(span(59_600), '1 min');
  assert.equal(span(0), '0 s');
});

test('text is broken at spaces, and a word that is too long stays whole', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('abcdefghij k', 5), ['abcdefghij', 'k']);
  assert.deepEqual(wrap('', 5), []);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { csvOf } from '../../src/console/parts/csv.ts';

const one = (cell: string | number | undefined): string => csvOf(['head'], [[cell]]).split('\r\n')[1] ?? '';

describe('a CSV of what is shown', () => {
  it('has nothing that a spreadsheet takes for a formula', () => {
    const formulas = [
      '=1+1',
      '=HYPERLINK("https://evil.example","x")',
      '+1',
      '-1+cmd|calc!A0',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      '\n=1',
      '  =1',
      '＝1',
      '＋1',
      '－1',
      '＠x',
      '\tplain',
    ];
    for (const formula of formulas) {
      const cell = one(formula).replace(/^"/, '');
      assert.equal(cell[0], "'", JSON.stringify(formula));
    }
  });
  it('leaves other texts and numbers as they are', () => {
    assert.equal(one('speech'), 'speech');
    assert.equal(one('a=b'), 'a=b');
    assert.equal(one(-3), '-3');
    assert.equal(one(undefined), '');
    assert.equal(one("'=1"), "'=1");
  });
  it('keeps commas, quotes and line ends inside of their cell', () => {
    assert.equal(csvOf(['a', 'b'], [['x,y', 'he said "no"']]), 'a,b\r\n"x,y","he said ""no"""\r\n');
    assert.equal(csvOf(['a'], [['two\nlines']]), 'a\r\n"two\nlines"\r\n');
  });
  it('guards heads as it guards cells', () => {
    assert.equal(csvOf(['=x'], []), "'=x\r\n");
  });
});

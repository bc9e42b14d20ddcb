import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnsOf, readAsked, sharesOf } from '../../src/console/views/traffic/series.ts';

const NOW = Date.parse('2026-11-27T09:40:00Z');
const at = (text: string, count: number, outcome: string, more = {}) => ({
  at: `2026-11-${text}:00:00.000Z`,
  lastAt: `2026-11-${text}:59:00.000Z`,
  count,
  outcome,
  ...more,
});

describe('what the traffic view asks for', () => {
  it('is the last day by resource, whatever the address says', () => {
    for (const params of [
      {},
      { span: '__proto__', by: 'constructor' },
      { span: 'eternity', by: 'outcome' },
    ]) {
      const { by, span, edges } = readAsked(params, NOW);
      assert.deepEqual([by, span, edges.length], ['resource', 'day', 25]);
    }
  });
  it('ends with the period that the present is in', () => {
    const last = (span: string) => {
      const { edges } = readAsked({ span }, NOW);
      return edges.slice(-2).map((ms) => new Date(ms).toISOString());
    };
    assert.deepEqual(last('day'), ['2026-11-27T09:00:00.000Z', '2026-11-27T10:00:00.000Z']);
    assert.deepEqual(last('week'), ['2026-11-27T18:00:00.000Z', '2026-11-28T00:00:00.000Z']);
    assert.deepEqual(last('month'), ['2026-11-27T00:00:00.000Z', '2026-11-28T00:00:00.000Z']);
    assert.deepEqual(last('year'), ['2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z']);
    assert.equal(
      new Date(readAsked({ span: 'year' }, NOW).edges[0] ?? 0).toISOString(),
      '2025-12-01T00:00:00.000Z',
    );
  });
  it('does not tell apart by what is fixed already', () => {
    assert.equal(readAsked({ resource: 'speech' }, NOW).by, 'caller');
    assert.deepEqual(readAsked({ resource: 'speech', by: 'reason' }, NOW), {
      ...readAsked({ by: 'reason' }, NOW),
      only: { resource: 'speech' },
    });
  });
});

describe('the columns of the chart', () => {
  const { edges } = readAsked({}, NOW);
  it('add up what began in them, granted and refused apart', () => {
    const columns = columnsOf(
      [
        at('27T09', 3, 'granted'),
        at('27T09', 1, 'refused'),
        at('27T08', 5, 'granted'),
        at('27T09', 9, 'withheld'),
      ],
      edges,
    );
    const last = columns.slice(-2).map(({ granted, refused }) => [granted, refused]);
    assert.deepEqual(last, [
      [5, 0],
      [3, 1],
    ]);
    assert.equal(columns.length, 24);
  });
  it('leave out what is before the first or after the last', () => {
    const columns = columnsOf([at('25T09', 3, 'granted'), at('28T09', 3, 'granted')], edges);
    assert.equal(
      columns.reduce((sum, { granted }) => sum + granted, 0),
      0,
    );
  });
});

describe('the shares', () => {
  it('have the most first, and the last time of each', () => {
    const shares = sharesOf(
      [
        at('27T08', 1, 'granted', { caller: 'a' }),
        at('27T09', 1, 'refused', { caller: 'a' }),
        at('27T07', 5, 'granted', { caller: 'b' }),
        at('27T07', 1, 'refused'),
      ],
      'caller',
    );
    assert.deepEqual(shares, [
      { value: 'b', granted: 5, refused: 0, lastAt: '2026-11-27T07:59:00.000Z' },
      { value: 'a', granted: 1, refused: 1, lastAt: '2026-11-27T09:59:00.000Z' },
      { value: '', granted: 0, refused: 1, lastAt: '2026-11-27T07:59:00.000Z' },
    ]);
  });
});

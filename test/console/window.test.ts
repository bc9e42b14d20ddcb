import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scrollTo, windowOf } from '../../src/console/parts/window.ts';

describe('the window of a long list', () => {
  it('has what is seen and a few rows beyond it, whatever the length', () => {
    const rows = windowOf(10_000, 40, { scrolled: 40_000, extent: 400 });
    assert.deepEqual([rows[0], rows.at(-1)], [994, 1015]);
    assert.equal(rows.length, 22);
  });
  it('ends where the list ends, and is all of a short list', () => {
    assert.deepEqual(windowOf(3, 40, { scrolled: 0, extent: 400 }), [0, 1, 2]);
    assert.equal(windowOf(100, 40, { scrolled: 3_600, extent: 400 }).at(-1), 99);
    assert.deepEqual(windowOf(0, 40, { scrolled: 0, extent: 400 }), []);
    // The list became shorter while it was scrolled to its end.
    assert.deepEqual(windowOf(5, 40, { scrolled: 4_000, extent: 400 }), []);
  });
  it('keeps the row with the focus in its place in the order', () => {
    const rows = windowOf(10_000, 40, { scrolled: 40_000, extent: 400 }, [3]);
    assert.deepEqual(rows.slice(0, 2), [3, 994]);
    assert.deepEqual(windowOf(10, 40, { scrolled: 0, extent: 40 }, [-1, 10]), [0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('a row that is gone to', () => {
  const seen = { scrolled: 400, extent: 400 };
  it('does not move what shows it already', () => assert.equal(scrollTo(12, 40, seen), 400));
  it('comes in at the top or at the bottom, whichever is nearer', () => {
    assert.equal(scrollTo(3, 40, seen), 120);
    assert.equal(scrollTo(20, 40, seen), 440);
  });
});

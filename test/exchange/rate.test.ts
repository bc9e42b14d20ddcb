import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRate } from '../../src/exchange/rate.ts';
import { Lru } from '../../src/lru.ts';
import { NOW_MS } from './caller.ts';

const rate = { count: 3, per: 60_000 };

test('a bucket starts full, says when the next is there, and then it is there', () => {
  const { take } = createRate();
  for (let left = 3; left > 0; left -= 1) assert.equal(take('a', rate, NOW_MS), 0);
  const waitMs = take('a', rate, NOW_MS);
  assert.equal(waitMs, 20_000);
  assert.ok(take('a', rate, NOW_MS + waitMs - 1) > 0);
  assert.equal(take('a', rate, NOW_MS + waitMs), 0);
  assert.equal(take('b', rate, NOW_MS), 0, 'another caller has another bucket');
});

test('in any span of time no more pass than the bucket held and what flowed in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 30_000 }), { maxLength: 200 }), (gaps) => {
      const { take } = createRate();
      let nowMs = NOW_MS;
      let passed = 0;
      for (const gap of gaps) {
        nowMs += gap;
        const waitMs = take('a', rate, nowMs);
        assert.ok(waitMs >= 0 && waitMs <= rate.per / rate.count);
        if (waitMs === 0) passed += 1;
      }
      assert.ok(passed <= rate.count + ((nowMs - NOW_MS) * rate.count) / rate.per + 1e-6);
    }),
  );
});

test('what is given back may be taken again, and the bucket still holds no more than its count', () => {
  const { take, giveBack } = createRate();
  for (let left = 3; left > 0; left -= 1) assert.equal(take('a', rate, NOW_MS), 0);
  giveBack('a');
  assert.equal(take('a', rate, NOW_MS), 0);
  assert.ok(take('a', rate, NOW_MS) > 0);
  for (let more = 9; more > 0; more -= 1) giveBack('a');
  for (let left = 3; left > 0; left -= 1) assert.equal(take('a', rate, NOW_MS), 0);
  assert.ok(take('a', rate, NOW_MS) > 0);
  giveBack('never seen');
});

test('a long rest saves nothing up: the bucket holds no more than its count', () => {
  const { take } = createRate();
  take('a', rate, NOW_MS);
  const later = NOW_MS + 86_400_000;
  for (let left = 3; left > 0; left -= 1) assert.equal(take('a', rate, later), 0);
  assert.ok(take('a', rate, later) > 0);
});

test('a clock set back gives nothing away and locks nobody out for ever', () => {
  const { take } = createRate();
  for (let left = 3; left > 0; left -= 1) take('a', rate, NOW_MS);
  assert.ok(take('a', rate, NOW_MS - 3_600_000) > 0);
  assert.equal(take('a', rate, NOW_MS - 3_600_000 + 20_000), 0);
});

test('the map forgets what was used longest ago, and nothing else', () => {
  const map = new Lru<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  assert.equal(map.get('a'), 1);
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [1, undefined, 3, 2]);
  map.set('a', 4);
  map.delete('c');
  assert.deepEqual([map.get('a'), map.get('c'), map.size], [4, undefined, 1]);
});

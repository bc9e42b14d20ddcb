import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { each } from '../src/each.ts';

test('each is worked on once, and never more at once than allowed', async () => {
  let now = 0;
  let most = 0;
  const seen: number[] = [];
  await each([1, 2, 3, 4, 5, 6, 7].values(), 3, async (item) => {
    now += 1;
    most = Math.max(most, now);
    await turn();
    seen.push(item);
    now -= 1;
  });
  assert.equal(most, 3);
  assert.deepEqual(seen.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
});

test('after a failure nothing else begins, and the failure is thrown', async () => {
  const begun: number[] = [];
  const failing = each([1, 2, 3, 4, 5, 6], 2, async (item) => {
    begun.push(item);
    await turn();
    if (item === 2) throw new Error('the second');
  });
  await assert.rejects(failing, /the second/);
  await turn();
  assert.ok(begun.length < 6, begun.join());
});

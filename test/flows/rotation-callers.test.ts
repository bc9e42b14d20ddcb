import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotateUnderLoad } from './rotation-callers.ts';

test('no call fails while a key of two accounts is retired, and every token is good to its last second', async () => {
  const report = await rotateUnderLoad({ rotations: 1, callers: 2, consumers: 1, slot: 'Key1' });
  assert.deepEqual(report.failures, []);
  assert.deepEqual(report.regenerated, { speech: 1, translator: 1 });
  // A token can still live for ten minutes when it was bought with the slot that is retired next.
  assert.ok(report.leastSpareSeconds >= 0, `${report.leastSpareSeconds} s`);
  assert.ok(report.lastSecond > 0 && report.keyCalls > 0 && report.exchanges > 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emergencyTrials } from './emergency-trials.ts';

/** `node test/flows/emergency-trials.ts --trials 1000` measures. */
test('after the 202 of an emergency no instance hands out a token of that key, whether the rotator lives or not', async () => {
  const { trials } = await emergencyTrials(3, 1, 3);
  assert.deepEqual(trials.map(({ rotator }) => rotator).toSorted(), ['busy', 'idle', 'stopped']);
  for (const { rotator, late, ended, unexpected } of trials) {
    assert.equal(late, 0, rotator);
    assert.equal(unexpected, 0, rotator);
    assert.ok(ended > 0, `${rotator}: nothing was tried`);
  }
});

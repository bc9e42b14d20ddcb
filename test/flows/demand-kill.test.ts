import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demandKillTrials } from './demand-kill.ts';

/**
 * Of one slot and without a drain, which is soon over, and with callers who pause between their rounds;
 * `node test/flows/demand-kill.ts --trials 200` has them all, and callers who hardly pause.
 */
const TRIALS = 2;
const PAUSE_MS = 500;

test('killed at any step of a demand, it is carried out exactly once, and no exchange fails', async () => {
  const { trials, failed, failures } = await demandKillTrials(
    TRIALS,
    3,
    ['emergency of one slot', 'leaked key'],
    undefined,
    PAUSE_MS,
  );
  assert.deepEqual(
    trials.flatMap(({ problems }) => problems),
    [],
  );
  assert.deepEqual(
    trials.map(({ killed }) => killed !== undefined),
    Array.from({ length: TRIALS }, () => true),
  );
  assert.equal(failed, 0, failures.join('\n'));
});

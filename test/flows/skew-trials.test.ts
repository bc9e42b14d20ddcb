import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skewTrials } from './skew-trials.ts';

/** One of each kind of scope; the command runs thousands. */
const TRIALS = 7;

test(`with all clocks off by up to a minute, no exchange is granted after a revocation of its scope (${TRIALS} trials)`, async () => {
  const run = await skewTrials(TRIALS, 1);
  assert.deepEqual([run.late, run.lateKinds], [0, []]);
  assert.ok(run.grantedBefore >= TRIALS, 'the tokens were good before');
  assert.ok(Object.values(run.byKind).every((count) => count === 1));
});

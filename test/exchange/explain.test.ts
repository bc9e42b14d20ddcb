import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainedRuns } from './explained.ts';

test('an explanation has the outcome and the reason of the exchange, and each change that it proposes flips it', async () => {
  const { policyChanges, callerChanges } = await explainedRuns(150, Date.now() % 2 ** 31);
  assert.ok(policyChanges > 0 && callerChanges > 0);
});

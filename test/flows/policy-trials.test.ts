import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killInApplies, STEPS } from './policy-kill.ts';
import { policyTrials } from './policy-trials.ts';

test('no exchange fails or is decided by an earlier version while the policy is changed under it', async () => {
  const { unexpected, failed, late, tried, returned, refused, exchanges } = await policyTrials(12, 2, 6, 20);
  assert.deepEqual({ unexpected, failed, late }, { unexpected: [], failed: 0, late: 0 });
  assert.ok(tried > 3 && exchanges > 50, `${tried} changes were tried by ${exchanges} exchanges`);
  assert.ok(returned > 5 && refused > 0);
});

test('an instance that is killed after the pointer is written, and before the head, leaves one whole version', async () => {
  const { kills, inForce } = await killInApplies(
    1,
    STEPS.filter(({ step }) => step === 'pointer'),
  );
  assert.deepEqual([kills, inForce], [1, { pointer: 1 }]);
});

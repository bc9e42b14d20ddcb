import assert from 'node:assert/strict';
import { test } from 'node:test';
import { procedures, WANTED } from './procedure.ts';

test('begun by the timer, an operator or a leaked key, both keys are replaced in order, and no exchange fails', async () => {
  for (const { begun, did, failures, byIssuer, keyCalls } of await procedures(1)) {
    assert.equal(did, WANTED[begun], begun);
    assert.deepEqual(failures, [], begun);
    assert.equal(byIssuer, 0, 'the rotator alone changes keys and secrets');
    assert.ok(keyCalls > 0, begun);
  }
});

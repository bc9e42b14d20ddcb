import assert from 'node:assert/strict';
import { test } from 'node:test';
import { procedures, WANTED } from './procedure.ts';

/** `node test/flows/procedure.ts` also has it begun by the timer and by a leaked key, which other flow tests show. */
test('begun by an operator, both keys are replaced in order, and no exchange fails', async () => {
  for (const { begun, did, failures, byIssuer, keyCalls } of await procedures(1, ['operator'])) {
    assert.equal(did, WANTED[begun], begun);
    assert.deepEqual(failures, [], begun);
    assert.equal(byIssuer, 0, 'the rotator alone changes keys and secrets');
    assert.ok(keyCalls > 0, begun);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killInRotations, POINTS } from './rotation-kill.ts';

/** Of all points the one with the most at stake; `node test/flows/rotation-kill.ts` has them all. */
const chosen = ['regenerateKey'];

test('killed while a key is made, it goes on: steady, both keys new, none lost', async () => {
  const report = await killInRotations(POINTS.filter(({ operation = '' }) => chosen.includes(operation)));
  assert.deepEqual([report.kills, report.rotations], [1, 1]);
});

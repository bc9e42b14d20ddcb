import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

/** `INTERLEAVINGS=10000` before the command for more of them. */
const RUNS = Number(process.env['INTERLEAVINGS'] ?? 2_000);

async function interleave(runs: number, announce: boolean): Promise<{ seeds: number[]; refused: number }> {
  const worker = new Worker(new URL('./interleave.ts', import.meta.url), { workerData: { runs, announce } });
  const [outcome] = await once(worker, 'message');
  return outcome;
}

test(`an exchange in flight during a revocation never resurrects a cached grant (${RUNS} interleavings)`, async () => {
  const { seeds, refused } = await interleave(RUNS, true);
  assert.deepEqual(seeds, []);
  assert.ok(refused >= 2 * RUNS, 'those that begin after the call has returned are all refused');
});

test('the interleavings find the fault when the head is not bumped', async () => {
  assert.notDeepEqual((await interleave(500, false)).seeds, []);
});

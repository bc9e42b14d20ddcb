import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow, type Mutation } from './revocation-log.ts';

/** `INTERLEAVINGS=10000` before the command for more of them. */
const RUNS = Number(process.env['INTERLEAVINGS'] ?? 400);

async function missedIn(runs: number, mutation?: Mutation) {
  const found: string[] = [];
  const sum = { looks: 0, failed: 0, fullLoads: 0 };
  for (let seed = 0; seed < runs; seed += 1) {
    const { missed, looks, failed, fullLoads } = await follow(seed, mutation);
    if (missed !== undefined) found.push(`${seed}: ${missed}`);
    sum.looks += looks;
    sum.failed += failed;
    sum.fullLoads += fullLoads;
  }
  return { found, ...sum };
}

test(`whatever is killed, lost or read in between, no look misses what was in force when it began (${RUNS} orders)`, async () => {
  const { found, looks, failed, fullLoads } = await missedIn(RUNS);
  assert.deepEqual(found, []);
  assert.ok(failed > RUNS / 4, 'calls failed on the way');
  assert.ok(
    looks - fullLoads > 2 * RUNS,
    `${looks - fullLoads} of ${looks} looks read only what was changed`,
  );
});

for (const mutation of [
  'an entry left out of the log',
  'the head before the change',
  'the entry before its row of the log',
  'a change left unfinished by whoever comes next',
] as const)
  test(`the orders find the fault: ${mutation}`, async () => {
    assert.notDeepEqual((await missedIn(100, mutation)).found, []);
  });

/** Three instances on one store, 200 exchanges a second: how fast a revocation is in force, and that none is late. */

import { percentile, revocationTrials, type Trials } from '../flows/revocation-trials.ts';
import { startLocal } from '../local/local-mode.ts';
import type { BenchOptions } from './options.ts';

export interface RevocationBench {
  readonly trials: number;
  readonly late: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const STALE_SECONDS = 2;
const STALE_TRIALS = 20;

export async function revocationBench({ quick }: BenchOptions): Promise<RevocationBench> {
  const trials = quick ? 20 : 1_000;
  // Where the distribution is printed for a person.
  const tell: (line: string) => void = console.error;
  const strict = await run(trials, 0);
  tell(describe(strict, 0));
  tell(histogram(strict.effectMs));
  const stale = await run(STALE_TRIALS, STALE_SECONDS);
  tell(describe(stale, STALE_SECONDS));
  return {
    trials: strict.trials + stale.trials,
    late: strict.late + stale.late,
    p50Ms: percentile(strict.effectMs, 0.5),
    p99Ms: percentile(strict.effectMs, 0.99),
  };
}

async function run(trials: number, freshnessSeconds: number): Promise<Trials> {
  const environment = { BROKER_FRESHNESS_SECONDS: String(freshnessSeconds) };
  await using local = await startLocal(['--instances', '3'], environment);
  return await revocationTrials(local.description, {
    trials,
    perSecond: 200,
    freshnessMs: freshnessSeconds * 1000,
  });
}

function describe(run: Trials, freshnessSeconds: number): string {
  return (
    `revocation, freshness ${freshnessSeconds} s: ${run.trials} trials, ${run.exchanges} exchanges at ` +
    `${run.perSecond}/s, ${run.unavailable} unavailable; granted after the call returned ${run.afterReturn} ` +
    `(the last ${run.latestMs} ms after), later than promised ${run.late}`
  );
}

/** How many revocations were in force within so many milliseconds. */
function histogram(sortedMs: readonly number[]): string {
  const edges = [5, 10, 20, 50, 100, 200, 500, 1_000];
  const within = edges.map((edge) => `${edge} ms ${sortedMs.filter((ms) => ms <= edge).length}`);
  return `time to effect: within ${within.join(', ')}; slowest ${percentile(sortedMs, 1)} ms`;
}

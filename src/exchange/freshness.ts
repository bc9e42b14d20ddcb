import { coalesce } from '../coalesce.ts';
import type { Clock, SharedState, Snapshot } from '../ports.ts';

/** However quiet the head row: a change whose writer died before the bump is picked up after this. */
const RELOAD_AFTER_MS = 60_000;

export interface Freshness {
  /** No staler than `freshnessMs`: from a head read that began at most that long before this call. */
  fresh(): Promise<Snapshot>;
  /** From a head read that begins after this call. */
  now(): Promise<Snapshot>;
  /** What is known without asking; undefined before the first read. Good for a guess, never for a grant. */
  known(): Snapshot | undefined;
}

/**
 * The one row that tells every instance whether anything changed. Calls that wait at the same moment share a
 * read, and a read that began before a call never serves it. What stands behind the head is read only when
 * the head moved.
 */
export function createFreshness(state: SharedState, clock: Clock, freshnessMs: number): Freshness {
  let latest: Snapshot | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let loadedAtMs = Number.NEGATIVE_INFINITY;

  // One at a time, so that no read can put back what a later one has replaced.
  const shared = coalesce<undefined, Snapshot>(async () => {
    const startedAtMs = clock();
    const version = await state.version();
    if (latest?.version !== version || startedAtMs - loadedAtMs >= RELOAD_AFTER_MS) {
      latest = await state.load();
      loadedAtMs = startedAtMs;
    }
    readAtMs = startedAtMs;
    return latest;
  });

  return {
    now: () => shared(undefined),
    fresh: async () => {
      const ageMs = clock() - readAtMs;
      return latest !== undefined && ageMs >= 0 && ageMs < freshnessMs ? latest : shared(undefined);
    },
    known: () => latest,
  };
}

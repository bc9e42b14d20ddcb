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
  let reads = 0;
  let latestRead = 0;

  const read = async (): Promise<Snapshot> => {
    reads += 1;
    const number = reads;
    const startedAtMs = clock();
    const version = await state.version();
    let snapshot = latest;
    let reloaded = false;
    if (snapshot?.version !== version || startedAtMs - loadedAtMs >= RELOAD_AFTER_MS) {
      snapshot = await state.load();
      reloaded = true;
    }
    // Two reads may overlap: the one that began later knows more.
    if (number > latestRead) {
      latestRead = number;
      latest = snapshot;
      readAtMs = startedAtMs;
      if (reloaded) loadedAtMs = startedAtMs;
    }
    return snapshot;
  };
  const shared = coalesce<undefined, Snapshot>(read, { parallel: 1 });

  return {
    now: () => shared(undefined),
    fresh: async () => {
      const ageMs = clock() - readAtMs;
      return latest !== undefined && ageMs >= 0 && ageMs < freshnessMs ? latest : shared(undefined);
    },
    known: () => latest,
  };
}

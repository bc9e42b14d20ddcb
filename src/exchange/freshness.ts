import { coalesce } from '../coalesce.ts';
import type { Clock, SharedState, Snapshot } from '../ports.ts';

/** A writer may die after its change and before it bumps the head row. Such a change is seen after this time. */
const RELOAD_AFTER_MS = 60_000;

export interface Freshness {
  /** A snapshot from a head read that began at most `freshnessMs` before this call. */
  fresh(): Promise<Snapshot>;
  /** A snapshot from a head read that begins after this call. */
  now(): Promise<Snapshot>;
  /** The cached snapshot; undefined before the first read. It may be stale, so no grant may rest on it. */
  known(): Snapshot | undefined;
}

/**
 * Reads the head row, which tells every instance whether anything changed. Calls that wait at the same time share
 * one read, but a call never gets the result of a read that began before it. The revocations and slots are loaded
 * only when the head row has changed.
 */
export function createFreshness(state: SharedState, clock: Clock, freshnessMs: number): Freshness {
  let latest: Snapshot | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let loadedAtMs = Number.NEGATIVE_INFINITY;

  // Only one read runs at a time, so an older read can never overwrite the result of a newer one.
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

import { coalesce, OVERLAPPING } from '../coalesce.ts';
import type { PolicyVersion } from '../policy/version.ts';
import type { Clock, SharedState, Snapshot } from '../ports.ts';

/** A writer may die after its change and before it bumps the head row. Such a change is seen after this time. */
const RELOAD_AFTER_MS = 60_000;

/** The shared state, and the policy that is in force in it. */
export interface Seen extends Snapshot {
  readonly rules: PolicyVersion;
}

export interface Freshness {
  /** A snapshot from a head read that began at most `freshnessMs` before this call. */
  fresh(): Promise<Seen>;
  /** A snapshot from a head read that begins after this call. */
  now(): Promise<Seen>;
  /** The cached snapshot; undefined before the first read. It may be stale, so no grant may rest on it. */
  known(): Seen | undefined;
}

/**
 * Reads the head row, which tells every instance whether anything changed. Calls that wait at the same time share
 * one read, but a call never gets the result of a read that began before it. The revocations, the slots and the policy
 * are loaded only when the head row has changed.
 * @param rulesOf the policy of that version; of undefined, the one that an empty store starts with
 */
export function createFreshness(
  state: SharedState,
  rulesOf: (version: string | undefined) => Promise<PolicyVersion>,
  clock: Clock,
  freshnessMs: number,
): Freshness {
  let latest: Seen | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let loadedAtMs = Number.NEGATIVE_INFINITY;

  interface Look {
    readonly startedAtMs: number;
    readonly version: string;
  }
  const loaded = ({ version, startedAtMs }: Look): Seen | undefined =>
    latest?.version === version && startedAtMs - loadedAtMs < RELOAD_AFTER_MS ? latest : undefined;

  // Only one load runs at a time, so an older one can never overwrite the result of a newer one.
  const load = coalesce<Look, Seen>(async (looks) => {
    // The load that these looks waited for may have brought what they saw.
    if (latest !== undefined && looks.every(loaded)) return latest;
    const startedAtMs = clock();
    const snapshot = await state.load();
    latest = { ...snapshot, rules: await rulesOf(snapshot.policy) };
    loadedAtMs = startedAtMs;
    return latest;
  });
  const shared = coalesce<undefined, Seen>(
    async () => {
      const look: Look = { startedAtMs: clock(), version: await state.version() };
      const seen = loaded(look) ?? (await load(look));
      readAtMs = look.startedAtMs;
      return seen;
    },
    // With a bound a look serves for longer than the next one takes, so that nobody gains by one beside it.
    freshnessMs === 0 ? OVERLAPPING : {},
  );

  return {
    now: () => shared(undefined),
    fresh: async () => {
      const ageMs = clock() - readAtMs;
      return latest !== undefined && ageMs >= 0 && ageMs < freshnessMs ? latest : shared(undefined);
    },
    known: () => latest,
  };
}

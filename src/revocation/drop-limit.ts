/**
 * How many tokens a holder may have dropped at a time. A shared token is everybody's: each drop makes all its
 * holders wait for the next one, up to a second, and a drop is an entry that every exchange reads until the token
 * is over. Without a limit one holder who exchanges and revokes in a loop keeps a resource from all others.
 */
import type { IssuedRecord } from '../ports.ts';
import type { Entry } from './entry.ts';

/** Dropped tokens of one resource that are not over yet. A person with several sign-ins has a token for each. */
const MAX_SHARED_DROPS = 3;
const MAX_OWN_DROPS = 30;

/**
 * @param source what the entries of this holder's drops name as their source
 * @returns the seconds until the holder may drop another; 0: now
 */
export function secondsUntilNextDrop(
  entries: readonly Entry[],
  source: string,
  { user }: IssuedRecord,
  nowMs: number,
): number {
  const ends = entries
    .filter((entry) => entry.scope.kind === 'issued' && entry.source === source)
    .map(({ cutOffSeconds }) => cutOffSeconds - Math.floor(nowMs / 1000))
    .filter((left) => left > 0)
    .sort((one, other) => one - other);
  const most = user === undefined ? MAX_SHARED_DROPS : MAX_OWN_DROPS;
  return ends[ends.length - most] ?? 0;
}

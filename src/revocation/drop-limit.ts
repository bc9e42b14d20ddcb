/**
 * Limits how many dropped tokens a holder may have at a time. A shared token has many holders, and after each drop
 * all of them wait up to a second for the next token. A drop is also a table entry that all instances load until
 * the token expires. Without a limit, one holder who exchanges and drops in a loop could make a resource unusable.
 */
import type { IssuedRecord } from '../ports.ts';
import type { Entry } from './entry.ts';

/** Dropped tokens of one resource that have not expired. A person has one own token for each sign-in. */
const MAX_SHARED_DROPS = 3;
const MAX_OWN_DROPS = 30;

/**
 * @param holder the beginning of the `source` of this holder's drops
 * @returns the seconds until the holder may drop another token; 0 means now
 */
export function secondsUntilNextDrop(
  entries: readonly Entry[],
  holder: string,
  { user }: IssuedRecord,
  nowMs: number,
): number {
  const ends = entries
    .filter((entry) => entry.scope.kind === 'issued' && entry.source.startsWith(holder))
    .map(({ cutOffSeconds }) => cutOffSeconds - Math.floor(nowMs / 1000))
    .filter((left) => left > 0)
    .sort((one, other) => one - other);
  const most = user === undefined ? MAX_SHARED_DROPS : MAX_OWN_DROPS;
  return ends[ends.length - most] ?? 0;
}

/**
 * The lease lets one driver at a time work on a resource (invariant 4). It is part of the resource's row and is taken
 * by a conditional write, so of several drivers that read the same row only one gets it. The holder trusts its lease
 * for 90 seconds, and the others respect it for 4 minutes: their clocks may differ, and a change that the holder has
 * begun takes some time.
 */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import type { Lease } from './state.ts';

/** By its own clock, the holder starts no change of the vault or the account later than this after taking the lease. */
const TRUSTED_MS = 90_000;
/** A change that was begun is over after this: its call has a shorter timeout (azure/call.ts). */
const MAX_CHANGE_MS = 30_000;
/** No other driver takes the lease over before this, by its own clock, which may differ from the holder's. */
const RESPECTED_MS = TRUSTED_MS + MAX_CHANGE_MS + MAX_CLOCKS_DIFFER_SECONDS * 1000;

/** The holder of a machine's row that was handed back to the version with one app: it is held for good. */
const HANDED_BACK = 'handed back';

export function isHandedBack({ holder }: Lease): boolean {
  return holder === HANDED_BACK;
}

export function handBack(lease: Lease, nowMs: number): Lease {
  return take(lease, HANDED_BACK, nowMs);
}

export function isHeld(lease: Lease, nowMs: number): boolean {
  if (isHandedBack(lease)) return true;
  return lease.holder !== '' && Math.abs(nowMs - lease.takenAtMs) < RESPECTED_MS;
}

export function take(lease: Lease, holder: string, nowMs: number): Lease {
  return { holder, fence: lease.fence + 1, takenAtMs: nowMs };
}

export function release(lease: Lease): Lease {
  return { ...lease, holder: '' };
}

export function isTrusted(lease: Lease, nowMs: number): boolean {
  const ageMs = nowMs - lease.takenAtMs;
  return ageMs >= 0 && ageMs < TRUSTED_MS;
}

/**
 * One driver per resource. The lease is part of the resource's row and is taken by a conditional write of it,
 * so of several drivers that saw the same row one wins. Clocks may differ: the holder trusts its lease for a
 * shorter time than the others respect it.
 */
import type { Lease } from './state.ts';

/** The holder starts no outside effect later than this after it took the lease, by its own clock. */
export const TRUSTED_MS = 120_000;
/** Nobody takes it over before this. The difference is what clocks may differ by. */
const RESPECTED_MS = 240_000;

export function isHeld(lease: Lease, nowMs: number): boolean {
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

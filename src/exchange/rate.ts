import { Lru } from '../lru.ts';

const MAX_CALLERS = 50_000;

export interface Rate {
  /** Takes one from a bucket. @returns 0 when there was one, else the milliseconds until there is. */
  take(key: string, rate: { count: number; per: number }, nowMs: number): number;
  /** Puts one back: an exchange that failed because of an outage does not use up the caller's rate. */
  giveBack(key: string): void;
}

/** Token buckets: each starts full, refills evenly and holds `count`. Each instance counts on its own. */
export function createRate(): Rate {
  const buckets = new Lru<{ left: number; atMs: number }>(MAX_CALLERS);
  return {
    take: (key, { count, per }, nowMs) => {
      const perMs = count / per;
      const known = buckets.get(key);
      const bucket = known ?? { left: count, atMs: nowMs };
      if (known === undefined) buckets.set(key, bucket);
      bucket.left = Math.min(count, bucket.left + Math.max(0, nowMs - bucket.atMs) * perMs);
      bucket.atMs = nowMs;
      if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perMs);
      bucket.left -= 1;
      return 0;
    },
    giveBack: (key) => {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.left += 1;
    },
  };
}

import { Lru } from './lru.ts';

const MOST_CALLERS = 50_000;

/** Takes one from a bucket. @returns 0 when there was one, else the milliseconds until there is. */
export type TakeFromRate = (key: string, rate: { count: number; per: number }, nowMs: number) => number;

/** Token buckets that start full, refill evenly and hold `count`. Each instance counts for itself. */
export function createRate(): TakeFromRate {
  const buckets = new Lru<{ left: number; atMs: number }>(MOST_CALLERS);
  return (key, { count, per }, nowMs) => {
    const perMs = count / per;
    const bucket = buckets.get(key) ?? { left: count, atMs: nowMs };
    bucket.left = Math.min(count, bucket.left + Math.max(0, nowMs - bucket.atMs) * perMs);
    bucket.atMs = nowMs;
    buckets.set(key, bucket);
    if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perMs);
    bucket.left -= 1;
    return 0;
  };
}

/**
 * ARM's throttling since 2024: a token bucket per principal and kind of operation, of which a POST is a write.
 * Who asks again before the wait is over waits from the beginning.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
 */
import { type Bucket, createBucket } from './bucket.ts';

const limits = {
  reads: { capacity: 250, refillPerSecond: 25 },
  writes: { capacity: 200, refillPerSecond: 10 },
} as const;

export interface Wait {
  /** 0: go on. */
  readonly seconds: number;
  readonly headers: Readonly<Record<string, string>>;
}

export function createArmThrottle(): (principal: string, kind: keyof typeof limits, nowMs: number) => Wait {
  const buckets = new Map<string, { bucket: Bucket; blockedUntilMs: number; waitSeconds: number }>();
  return (principal, kind, nowMs) => {
    const id = `${kind} ${principal}`;
    const { capacity, refillPerSecond } = limits[kind];
    const entry = buckets.get(id) ?? {
      bucket: createBucket(capacity, refillPerSecond),
      blockedUntilMs: 0,
      waitSeconds: 0,
    };
    buckets.set(id, entry);
    if (nowMs >= entry.blockedUntilMs) entry.waitSeconds = entry.bucket.take(nowMs);
    if (entry.waitSeconds > 0) entry.blockedUntilMs = nowMs + entry.waitSeconds * 1000;
    return {
      seconds: entry.waitSeconds,
      headers: { [`x-ms-ratelimit-remaining-subscription-${kind}`]: String(entry.bucket.left) },
    };
  };
}

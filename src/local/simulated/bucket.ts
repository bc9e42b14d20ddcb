/** A token bucket in virtual time, the way Azure throttles. */
export interface Bucket {
  /** Takes one and returns 0, or takes none and returns the whole seconds until there is one. */
  take(nowMs: number): number;
  readonly left: number;
}

export function createBucket(capacity: number, refillPerSecond: number): Bucket {
  let left = capacity;
  let filledAtMs = Number.NEGATIVE_INFINITY;
  return {
    take(nowMs) {
      const elapsedMs = Math.max(0, nowMs - filledAtMs);
      left = Math.min(capacity, left + (elapsedMs / 1000) * refillPerSecond);
      filledAtMs = nowMs;
      if (left < 1) return Math.ceil((1 - left) / refillPerSecond);
      left -= 1;
      return 0;
    },
    get left() {
      return Math.floor(left);
    },
  };
}

import { MAX_WRITES_AT_ONCE, MAX_WRITES_PER_SECOND } from '../facts/arm.ts';

/**
 * Azure Resource Manager limits the calls per subscription. The rotation stays below the limit, so that calls are
 * left for people and for the regenerates themselves. What somebody asked for does not wait for a tick over many
 * accounts, because it may use the whole burst.
 */
const BURST = { tick: 0.75 * MAX_WRITES_AT_ONCE, onDemand: MAX_WRITES_AT_ONCE };
const PER_SECOND = 0.8 * MAX_WRITES_PER_SECOND;

/** Resolves when the next call in this subscription may start. */
export type Pace = (subscription: string, of?: keyof typeof BURST) => Promise<void>;

/** @param elapsedMs as in RotationPorts */
export function createPace(elapsedMs: () => number, sleep: (ms: number) => Promise<unknown>): Pace {
  /** Token buckets, each as the time when it is full again. A call moves that time on by the refill of one call. */
  const fullAtMs = new Map<string, number>();
  return async (subscription, of = 'tick') => {
    const perCallMs = 1000 / PER_SECOND;
    const atMs = elapsedMs();
    const nextFullMs = Math.max(fullAtMs.get(subscription) ?? 0, atMs) + perCallMs;
    fullAtMs.set(subscription, nextFullMs);
    const waitMs = nextFullMs - BURST[of] * perCallMs - atMs;
    if (waitMs > 0) await sleep(waitMs);
  };
}

/** The subscription id in an account's ARM id, in lower case. */
export function subscriptionOf(accountId: string): string {
  return accountId.split('/')[2]?.toLowerCase() ?? '';
}

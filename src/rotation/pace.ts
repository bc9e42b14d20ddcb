import { MAX_WRITES_AT_ONCE, MAX_WRITES_PER_SECOND } from '../facts/arm.ts';

/**
 * A fleet is looked at a little slower than Azure Resource Manager lets one identity write in a subscription, so
 * that the rotation never takes what an operator needs.
 */
const BURST = 0.75 * MAX_WRITES_AT_ONCE;
const PER_SECOND = 0.8 * MAX_WRITES_PER_SECOND;

/** Resolves when the next call in this subscription may start. Wall time: Azure's limits are. */
export type Pace = (subscription: string) => Promise<void>;

/** @param elapsedMs as in RotationPorts */
export function createPace(elapsedMs: () => number, sleep: (ms: number) => Promise<unknown>): Pace {
  /** When the bucket was, or will be, full: each call moves it on by the time it takes to refill one. */
  const fullAtMs = new Map<string, number>();
  return async (subscription) => {
    const perCallMs = 1000 / PER_SECOND;
    const atMs = elapsedMs();
    const nextFullMs = Math.max(fullAtMs.get(subscription) ?? 0, atMs) + perCallMs;
    fullAtMs.set(subscription, nextFullMs);
    const waitMs = nextFullMs - BURST * perCallMs - atMs;
    if (waitMs > 0) await sleep(waitMs);
  };
}

/** The subscription in an account's ARM id. */
export function subscriptionOf(accountId: string): string {
  return accountId.split('/')[2]?.toLowerCase() ?? '';
}

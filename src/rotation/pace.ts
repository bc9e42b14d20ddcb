/**
 * Azure Resource Manager lets one identity start 200 writes in a subscription at once and 10 a second after
 * that, and counts listKeys as one (learn.microsoft.com, request-limits-and-throttling). A fleet is looked at
 * a little slower than that, so that the rotation never takes what an operator needs.
 */
const BURST = 150;
const PER_SECOND = 8;

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

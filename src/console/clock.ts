/**
 * The broker's clock, as its answers tell it. The reader's own clock may be wrong, and in the local mode the broker's
 * runs faster than it. Pure but for the reader's clock, which comes in.
 */
export interface BrokerClock {
  /** Milliseconds. */
  now(): number;
  /** The `date` of an answer. */
  heard(date: string | null): void;
}

/** Between two answers that tell the rate; `date` has whole seconds. */
const BASE_MS = 3_000;
/** Below this the clocks differ in their whole seconds only. */
const FASTER = 1.5;

export function createBrokerClock(readerMs: () => number): BrokerClock {
  let first: Heard | undefined;
  let last: Heard | undefined;
  let rate = 1;
  /** As the answers before told it. */
  let before = 1;
  return {
    now() {
      const reader = readerMs();
      return last === undefined ? reader : last.brokerMs + (reader - last.readerMs) * rate;
    },
    heard(date) {
      const brokerMs = Date.parse(date ?? '');
      if (Number.isNaN(brokerMs)) return;
      const heard = { brokerMs, readerMs: readerMs() };
      first ??= heard;
      const passedMs = heard.readerMs - first.readerMs;
      if (passedMs >= BASE_MS) {
        const measured = (brokerMs - first.brokerMs) / passedMs;
        // A clock that was set forward once does not run faster.
        const isSame = Math.abs(measured - before) < before / 5;
        rate = measured > FASTER && isSame ? measured : 1;
        before = measured;
        first = heard;
      }
      last = heard;
    },
  };
}
interface Heard {
  readonly brokerMs: number;
  readonly readerMs: number;
}

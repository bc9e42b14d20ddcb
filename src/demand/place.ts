/**
 * The issuer app's part of a demand. The row alone makes sure that it is carried out: the rotator's timer reads the
 * open ones. The message in the queue only lets the rotator look at once.
 */
import type { EmergencyMark, Log, Queue, Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { Demand, DemandBook } from './demand.ts';

export interface PlaceDeps {
  readonly book: DemandBook;
  readonly mark: EmergencyMark;
  readonly queue: Queue;
  /** How old a look at the head may be on which an exchange rests. */
  readonly freshnessMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

export interface Wish {
  /** Of the operation. A wish that is told again is one and the same. */
  readonly id: string;
  /** When it was asked for, RFC 3339. */
  readonly at: string;
  readonly resource: string;
  /** The account's key in the tables (account-key.ts). */
  readonly account: string;
  readonly slot?: Slot | undefined;
  readonly emergency: boolean;
  readonly reason: string;
  readonly who: string;
  readonly correlationId: string;
}

/** An answer waits no longer than this for the queue. */
const MAX_PUT_MS = 1_000;

/**
 * @returns the demand, which is durable; in an emergency no exchange hands out a token of the key any more
 * @throws UpstreamFailure; then the demand may be there or not, and asking again is safe
 */
export function createPlace(deps: PlaceDeps): (wish: Wish) => Promise<Demand> {
  const { book, mark, queue, freshnessMs, sleep, log } = deps;

  async function announce({ id, resource }: Demand): Promise<void> {
    try {
      await queue.put(JSON.stringify({ id }), MAX_PUT_MS);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      log('demand_not_announced', { resource, problem: error.message });
    }
  }

  return async ({ account, slot, ...wish }) => {
    const demand: Demand = {
      ...wish,
      ...(slot === undefined ? {} : { slot }),
      state: 'waiting',
      why: '',
    };
    await book.insert(demand, account);
    let marked: boolean | undefined;
    try {
      // After the row: the rotator takes the mark up as the beginning of this very demand.
      if (demand.emergency) marked = (await mark.mark(account, slot, demand.id)) !== 'unmarked';
    } finally {
      // Also without the mark: the row is there, so the rotator begins, and then at once rather than with its timer.
      await announce(demand);
    }
    log('demand', { id: demand.id, resource: demand.resource, emergency: demand.emergency, marked });
    // Until then an instance may hand out a token by a look at the head from before the mark.
    if (marked === true && freshnessMs > 0) await sleep(freshnessMs);
    return demand;
  };
}

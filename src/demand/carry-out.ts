/**
 * The rotator app's part of a demand. It is taken by a conditional write, begun once, and its outcome is written into
 * its row. The rotation remembers which demands it has begun, so a demand whose driver died between any two of these
 * can be taken again.
 */
import * as z from 'zod';
import { iso } from '../iso.ts';
import type { Clock, Log, Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Demand, type DemandStore, isOpen, type StoredDemand } from './demand.ts';

export interface CarryOutDeps {
  readonly store: DemandStore;
  /** undefined: the keys of this resource are not rotated. @throws UpstreamFailure: ask again later */
  readonly retireNow: (
    demand: StoredDemand,
    request: {
      readonly demand: string;
      readonly slot?: Slot | undefined;
      readonly emergency: boolean;
      readonly reason: string;
    },
  ) => Promise<
    | { readonly kind: 'begun' | 'notBegun'; readonly why: string; readonly problem?: Demand['problem'] }
    | undefined
  >;
  /**
   * What became of a demand that was begun: its rotation goes on, is over, or an emergency took over. undefined: the
   * rotation does not know the demand any more. @throws UpstreamFailure: ask again later
   */
  readonly progress: (demand: StoredDemand) => Promise<'working' | 'done' | 'superseded' | undefined>;
  readonly now: Clock;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsedMs: () => number;
  readonly log: Log;
}

export interface CarryOut {
  /** For a message of the queue, which names a demand. @throws UpstreamFailure when the message must come again */
  told(message: unknown): Promise<void>;
  /**
   * For the timer: those that are open, one after the other, emergencies first; what it has no time for is left to the
   * next time. @throws UpstreamFailure where they cannot be read
   */
  open(): Promise<void>;
  /**
   * For the timer: ends those whose rotation is over; one whose rotation cannot be seen is left to the next time.
   * @throws UpstreamFailure where they cannot be read
   */
  finish(): Promise<void>;
}

const messageShape = z.object({ id: z.guid().toLowerCase() });

/** A demand that was taken longer ago is taken again: whoever took it is gone, or will find that it has lost it. */
const RETAKE_MS = 120_000;
/** A demand that could not be begun for so long is given up: it would surprise whoever asked for it. */
const MAX_AGE_MS = 86_400_000;
/** The timer looks at none later than this: the host ends it after five minutes, and the rotations need most of them. */
const OPEN_MS = 25_000;

export function createCarryOut({ store, retireNow, progress, now, elapsedMs, log }: CarryOutDeps): CarryOut {
  async function take(demand: StoredDemand): Promise<StoredDemand | undefined> {
    if (!isOpen(demand)) return undefined;
    if (demand.state === 'running' && Math.abs(now() - demand.takenAtMs) < RETAKE_MS) return undefined;
    const taken = await store.write({ ...demand, state: 'running', takenAtMs: now() });
    return taken === 'moved' ? undefined : taken;
  }

  async function end(
    taken: StoredDemand,
    state: Demand['state'],
    why: string,
    problem?: Demand['problem'],
  ): Promise<void> {
    const isOver = state !== 'waiting' && state !== 'begun';
    // Where it has moved, another rotator took it over and writes the outcome.
    await store.write({
      ...taken,
      state,
      why,
      ...(problem && { problem }),
      ...(isOver && { endedAt: iso(now()) }),
    });
    const { id, resource } = taken;
    log('demand_outcome', { id, resource, state, why });
  }

  async function carryOut(demand: StoredDemand): Promise<void> {
    const taken = await take(demand);
    if (taken === undefined) return;
    const { id, slot, emergency, reason, who } = taken;
    if (now() - Date.parse(taken.at) > MAX_AGE_MS)
      return end(taken, 'failed', `could not be begun for a day: ${taken.why}`);
    try {
      const request = { demand: id, slot, emergency, reason: `${reason} (operator ${who})` };
      const retired = await retireNow(taken, request);
      if (retired !== undefined) return await end(taken, retired.kind, retired.why, retired.problem);
      // An emergency may have marked a key, which only its rotation can give back to the callers. The issuer's policy
      // has the resource, so this app's may be about to have it too.
      await end(taken, emergency ? 'waiting' : 'notBegun', 'the keys of this resource are not rotated');
    } catch (error) {
      const isDown = error instanceof UpstreamFailure;
      await end(taken, isDown ? 'waiting' : 'failed', isDown ? error.message : 'a bug: the log has it');
      throw error;
    }
  }

  /** Whoever asked for it follows it until the keys are new, which is long after the beginning. */
  async function finish(demand: StoredDemand): Promise<void> {
    const became = await progress(demand);
    if (became === 'working') return;
    // Nobody saw its end, so nobody may say that the keys are new.
    if (became === undefined) return end(demand, 'failed', 'it is not known how it ended: see the history');
    await end(demand, became, became === 'done' ? demand.why : 'an emergency took over');
  }

  return {
    async told(message) {
      const parsed = messageShape.safeParse(message);
      const demand = parsed.success ? await store.find(parsed.data.id) : undefined;
      // Whoever may put messages may put anything. What counts is the row.
      if (demand === undefined) log('demand_unknown', { id: parsed.data?.id });
      else await carryOut(demand);
    },
    async open() {
      const endMs = elapsedMs() + OPEN_MS;
      const open = (await store.open()).filter(isOpen);
      const inOrder = [...open.filter(({ emergency }) => emergency), ...open.filter((one) => !one.emergency)];
      for (const [done, demand] of inOrder.entries()) {
        if (elapsedMs() > endMs) {
          log('demands_left', { demands: inOrder.length - done });
          return;
        }
        try {
          await carryOut(demand);
        } catch (error) {
          if (!(error instanceof UpstreamFailure)) throw error;
          log('demand_postponed', { id: demand.id, resource: demand.resource, problem: error.message });
        }
      }
    },
    async finish() {
      const endMs = elapsedMs() + OPEN_MS;
      for (const demand of await store.open()) {
        if (demand.state !== 'begun') continue;
        if (elapsedMs() > endMs) return;
        try {
          await finish(demand);
        } catch (error) {
          if (!(error instanceof UpstreamFailure)) throw error;
          log('demand_not_followed', { id: demand.id, resource: demand.resource, problem: error.message });
        }
      }
    },
  };
}

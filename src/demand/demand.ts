/**
 * A demand: the wish for a rotation, as a row that the issuer app inserts and the rotator app carries out. What the
 * operator sees is this row.
 */
import * as z from 'zod';

/** Bounded, because the rotator app copies from it into rows of its own, and a property of a row has 64 KiB. */
const asked = {
  id: z.guid(),
  /** Its name in the policy. */
  resource: z.string().max(63),
  /** Absent: what the schedule would do; in an emergency both slots. */
  slot: z.enum(['Key1', 'Key2']).optional(),
  emergency: z.boolean(),
  reason: z.string().max(256),
  /** Who asked for it: an object id. */
  who: z.string().max(64),
  correlationId: z.string().max(64),
  /** When it was asked for, RFC 3339. */
  at: z.iso.datetime(),
};

/**
 * `waiting`: nobody has begun with it, or the last try could not be made. `running`: the rotator is at it.
 * `begun`: the rotation has begun, and the plan tells how it goes on. `done`: it is over, and the slots have new keys.
 * `superseded`: an emergency took over. `notBegun`: something prevents it, and `why` says what. `failed`: it was given up.
 */
const demandState = z.enum(['waiting', 'running', 'begun', 'done', 'superseded', 'notBegun', 'failed']);

/** As people see it. */
export const demandShape = z.strictObject({
  ...asked,
  state: demandState,
  why: z.string(),
  /** Why nothing was begun, as a code and what to do; absent otherwise, and in rows of older versions. */
  problem: z.strictObject({ code: z.string(), advice: z.string() }).optional(),
  /** Absent while it is not over. */
  endedAt: z.iso.datetime().optional(),
});
export type Demand = z.infer<typeof demandShape>;

/** What the issuer app does with the table. Every method may throw UpstreamFailure. */
export interface DemandBook {
  /**
   * Idempotent for one and the same demand.
   * @param account its key in the tables: the resource may have another name when the demand is carried out
   */
  insert(demand: Demand, account: string): Promise<void>;
  find(id: string): Promise<Demand | undefined>;
}

/** A demand as the rotator app read it. */
export interface StoredDemand extends Demand {
  readonly etag: string;
  /** The key of the account in the tables; undefined in rows of older versions. */
  readonly account?: string | undefined;
  /** When a rotator took it last; 0: none did. */
  readonly takenAtMs: number;
}

/** What the rotator app does with the table. Every method may throw UpstreamFailure. */
export interface DemandStore {
  find(id: string): Promise<StoredDemand | undefined>;
  /** Those that wait, run, or have begun and are not over. */
  open(): Promise<readonly StoredDemand[]>;
  /** Writes if the row is still as it was read. `moved`: another rotator was faster. */
  write(demand: StoredDemand): Promise<StoredDemand | 'moved'>;
  /** Removes those that were asked for before and are not open. */
  sweep(beforeMs: number): Promise<void>;
}

export const isOpen = ({ state }: Demand): boolean => state === 'waiting' || state === 'running';
/** Whether somebody must still look at it. */
export const isFollowed = (demand: Demand): boolean => isOpen(demand) || demand.state === 'begun';

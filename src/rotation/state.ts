/** The stored state of one account's rotation, and the evidence that a tick collects before it decides. */
import * as z from 'zod';
import type { AccountRefusal, Slot } from '../ports.ts';
import { type Problem, problemOfText, problemSchema } from './problem.ts';

/** A problem as rows store it. Older rows hold it as a sentence, which is translated to its code. */
const storedProblem = z.union([problemSchema, z.string().transform(problemOfText)]);

export const slotSchema = z.enum(['Key1', 'Key2']);

/** The key was accepted at every try, from the first of these times to the last. */
const proofSchema = z.object({ fingerprint: z.string(), firstMs: z.number(), lastMs: z.number() });
export type Proof = z.infer<typeof proofSchema>;

const turn = {
  /** The slot being retired. */
  slot: slotSchema,
  /** In an emergency the drain is skipped, and the history says so. */
  emergency: z.boolean(),
  /** Exchanges buy nothing with the slot from the operator's demand until another slot is current (publish.ts). */
  marked: z.boolean().optional(),
};
const turnSchema = z.object(turn);
export type Turn = z.infer<typeof turnSchema>;

const phaseSchema = z.discriminatedUnion('name', [
  // retire.ts describes each phase: what is true on entry, what it waits for, what a crash leaves, how it ends.
  /** The other slot's key is proved, and then written as the secret's current version. */
  z.object({ name: z.literal('promoting'), proof: proofSchema.optional() }),
  /** No token is bought with the slot any more; tokens that were bought with it may still live. */
  z.object({ name: z.literal('draining') }),
  /** `before` is the fingerprint of the slot's key, stored before the regenerate is asked for. */
  z.object({ name: z.literal('regenerating'), before: z.string() }),
  /** The slot's new key is proved, and the old key (`before`) is tried until it is refused. */
  z.object({
    name: z.literal('proving'),
    before: z.string(),
    fingerprint: z.string(),
    regeneratedAtMs: z.number(),
    proof: proofSchema.optional(),
    oldKey: z.enum(['accepted', 'refused', 'unknown']).optional(),
    newKeyLagMs: z.number().optional(),
    oldKeyLagMs: z.number().optional(),
  }),
]);
export type Phase = z.infer<typeof phaseSchema>;

/** The retirement of one slot: how far it has come. Any driver can continue from this after a crash. */
export const workSchema = z.object({
  ...turn,
  phase: phaseSchema,
  /** The slots that are retired after this one, in this order. */
  queue: z.array(turnSchema),
  reason: z.string(),
  /** True for a whole rotation: its end sets `rotatedAtMs`, from which the next due time is counted. */
  completes: z.boolean(),
  startedAtMs: z.number(),
  phaseAtMs: z.number(),
  /** How often a step was tried since the last one that succeeded. */
  attempts: z.int(),
  /** The next step is not tried before this. */
  notBeforeMs: z.number(),
  /** Why the last try failed. */
  problem: storedProblem.optional(),
});
export type Work = z.infer<typeof workSchema>;

/** A repair of a drift (drift.ts) that has not succeeded yet: how often it was tried, and when the next try is due. */
export const healingSchema = z.object({ what: z.string(), attempts: z.int(), notBeforeMs: z.number() });
export type Healing = z.infer<typeof healingSchema>;

export interface RotationState {
  /** Goes up with every change of the vault's current key. 0: the account is not adopted yet. */
  readonly generation: number;
  /** The slot with which no token may be bought any more. It is never the active slot. */
  readonly retiring: Slot | undefined;
  /** Goes up when an emergency begins, and again when exchanges stop buying with the leaked key. */
  readonly epoch: number;
  /** The slot whose key the vault's current version holds. */
  readonly active: Slot;
  /** The name of the secret and its current version; exchanges buy with it. Both are empty before the adoption. */
  readonly secret: string;
  readonly secretVersion: string;
  /** When the account was adopted; before the adoption, when it was first seen. */
  readonly adoptedAtMs: number;
  /** When the last whole rotation ended; undefined where there was none since the adoption. */
  readonly rotatedAtMs: number | undefined;
  /** When a slot's key was made, if the rotation saw it. The age of a key that is missing here is unknown, not zero. */
  readonly bornAtMs: Readonly<Partial<Record<Slot, number>>>;
  /**
   * Tokens that the mint ledger does not show under their slot may live until then, for example those that were
   * bought while a version written by somebody else was current. The drain waits for them too.
   */
  readonly suspectUntilMs: number;
  /** A condition outside the broker that stops everything, for example that the rotator's role was removed. */
  readonly blocked: Problem | undefined;
  readonly work: Work | undefined;
  readonly healing?: Healing | undefined;
  /** How many of a slot's emergency marks have been taken up: an emergency that covers them was begun. */
  readonly marksTaken: Readonly<Partial<Record<Slot, number>>>;
  /** The last demands that were begun, by their ids: one that is told again begins nothing. */
  readonly demands: readonly string[];
}

/** Lets one driver at a time work on an account. It is taken by a conditional write, and each taking raises `fence`. */
export interface Lease {
  /** The driver's name; empty while the lease is free. */
  readonly holder: string;
  readonly fence: number;
  readonly takenAtMs: number;
}

/** One step that was made, for people. `fence` orders an account's entries and makes a repeated write harmless. */
export interface HistoryEntry {
  readonly account: string;
  readonly fence: number;
  readonly atMs: number;
  readonly by: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
  readonly tookMs: number;
  /** Which slot was retired; absent where none was, and in entries of older versions. */
  readonly slot?: Slot | undefined;
  readonly emergency: boolean;
  readonly newKeyLagMs?: number | undefined;
  readonly oldKeyLagMs?: number | undefined;
}

export interface RotationRow {
  /** The row's key (account-key.ts); in rows of older versions it is the resource's name. */
  readonly account: string;
  readonly state: RotationState;
  readonly lease: Lease;
  /** The last step. Its history entry is written after this row, and again before the next step in case of a crash. */
  readonly last: HistoryEntry | undefined;
}
/** A row as it was read; `etag` is undefined where the table has no row yet. */
export interface StoredRow extends RotationRow {
  readonly etag: string | undefined;
}

/** How often an operator's emergency has marked a slot since the account was adopted, and whose demand the last was. */
export interface Mark {
  readonly count: number;
  readonly demand: string;
}
export type Marks = Readonly<Record<Slot, Mark>>;

/**
 * The row that exchanges read, a copy of the machine's row (publish.ts). Its `epoch` also counts the marks, and its
 * `retiring` is the active slot while that is marked.
 */
export interface PublishedRow extends StoredRow {
  readonly marks: Marks;
  /** False: the rotation of the version with one app works on this row, and the rotator app has no row of its own. */
  readonly moved: boolean;
}
export const UNMARKED: Marks = { Key1: { count: 0, demand: '' }, Key2: { count: 0, demand: '' } };

/** One version of a secret in the vault. */
export interface SecretPlace {
  readonly secret: string;
  readonly version: string;
}

/** What a tick sees before it decides. It holds fingerprints of keys, never keys. */
export interface Evidence {
  readonly nowMs: number;
  readonly keys: Readonly<Record<Slot, string>> | AccountRefusal;
  readonly vault: VaultSight | 'absent' | 'disabled' | 'forbidden';
  /** The latest expiry in the mint ledger, read after the row was published; 0 in phases other than draining. */
  readonly tokensLiveUntilMs: number;
}
export interface VaultSight extends SecretPlace {
  /** Computed from the secret's value; the tag of the same name may have been edited. */
  readonly fingerprint: string;
  readonly tags: Readonly<Record<string, string>>;
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'Key1' ? 'Key2' : 'Key1';
}

/** The slot whose key has this fingerprint; undefined where neither has. */
export function slotOf(keys: Readonly<Record<Slot, string>>, fingerprint: string): Slot | undefined {
  if (keys.Key1 === fingerprint) return 'Key1';
  return keys.Key2 === fingerprint ? 'Key2' : undefined;
}

/** The row of an account that the rotation has never seen; it is not in the table. */
export function unseen(account: string, nowMs: number): StoredRow {
  return {
    account,
    etag: undefined,
    lease: { holder: '', fence: 0, takenAtMs: 0 },
    last: undefined,
    state: {
      generation: 0,
      retiring: undefined,
      epoch: 0,
      active: 'Key1',
      secret: '',
      secretVersion: '',
      adoptedAtMs: nowMs,
      rotatedAtMs: undefined,
      bornAtMs: {},
      suspectUntilMs: 0,
      blocked: undefined,
      work: undefined,
      marksTaken: {},
      demands: [],
    },
  };
}

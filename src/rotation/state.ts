/** What is remembered of one resource's rotation, and what a tick sees of the world. */
import * as z from 'zod';
import type { AccountRefusal, Slot } from '../ports.ts';
import { type Problem, problemOfText, problemSchema } from './problem.ts';

/** As rows hold it, and as rows once held it: in words. */
export const storedProblem = z.union([problemSchema, z.string().transform(problemOfText)]);

export const slotSchema = z.enum(['Key1', 'Key2']);

/** A key was accepted whenever it was tried, from the first of these times to the last. */
const proofSchema = z.object({ fingerprint: z.string(), firstMs: z.number(), lastMs: z.number() });
export type Proof = z.infer<typeof proofSchema>;

const turn = {
  /** The slot being retired. */
  slot: slotSchema,
  /** The drain is skipped, and that is on record. */
  emergency: z.boolean(),
};
const turnSchema = z.object(turn);
export type Turn = z.infer<typeof turnSchema>;

const phaseSchema = z.discriminatedUnion('name', [
  /** The other slot's key is being proved, then becomes the secret's current version. */
  z.object({ name: z.literal('promoting'), proof: proofSchema.optional() }),
  /** Nothing is bought with the slot any more; what was bought with it lives on. */
  z.object({ name: z.literal('draining') }),
  /** `before`: the slot's fingerprint when the intent to regenerate it was written down. */
  z.object({ name: z.literal('regenerating'), before: z.string() }),
  /** The slot's new key is being proved, the old one watched until it is refused. */
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

/** The retirement of one slot, as far as it has come: enough to go on after a crash anywhere. */
export const workSchema = z.object({
  ...turn,
  phase: phaseSchema,
  /** What is retired after it. */
  queue: z.array(turnSchema),
  reason: z.string(),
  /** When it is done, the next rotation is due a period later. */
  completes: z.boolean(),
  startedAtMs: z.number(),
  phaseAtMs: z.number(),
  /** Tries since the last progress. */
  attempts: z.int(),
  /** No try before this. */
  notBeforeMs: z.number(),
  /** Why the last try came to nothing. */
  problem: storedProblem.optional(),
});
export type Work = z.infer<typeof workSchema>;

/** What somebody else changed is being put right: tries since it was last right, and no try before a time. */
export const healingSchema = z.object({ what: z.string(), attempts: z.int(), notBeforeMs: z.number() });
export type Healing = z.infer<typeof healingSchema>;

export interface RotationState {
  /** Rises with every change of the vault's current key. 0: not adopted yet. */
  readonly generation: number;
  /** No token may be bought with this slot. */
  readonly retiring: Slot | undefined;
  /** Rises when an emergency begins, and when nothing is bought with its key any more. */
  readonly epoch: number;
  /** Whose key the vault's current version holds. */
  readonly active: Slot;
  /** The vault's current version, as last seen or written; exchanges buy with it. Both empty: not adopted yet. */
  readonly secret: string;
  readonly secretVersion: string;
  /** When the account was adopted; before that, when it was first seen. */
  readonly adoptedAtMs: number;
  /** The end of the last whole rotation; undefined: there was none since the adoption. */
  readonly rotatedAtMs: number | undefined;
  /** When a slot's key was made, where that was seen. The age of a key that is not here is unknown, not zero. */
  readonly bornAtMs: Readonly<Partial<Record<Slot, number>>>;
  /** Until then tokens may live that were bought while someone else's hand was in the vault. */
  readonly suspectUntilMs: number;
  /** A condition outside that stops everything. */
  readonly blocked: Problem | undefined;
  readonly work: Work | undefined;
  readonly healing?: Healing | undefined;
}

/** One driver per resource: taken by a conditional write, its fence rises with every taking. */
export interface Lease {
  /** Empty: free. */
  readonly holder: string;
  readonly fence: number;
  readonly takenAtMs: number;
}

/** One step that was made, for people. `fence` orders an account's entries and makes writing one idempotent. */
export interface HistoryEntry {
  readonly account: string;
  readonly fence: number;
  readonly atMs: number;
  readonly by: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
  readonly tookMs: number;
  readonly emergency: boolean;
  readonly newKeyLagMs?: number | undefined;
  readonly oldKeyLagMs?: number | undefined;
}

export interface RotationRow {
  /** The key it stands under (account-key.ts). */
  readonly account: string;
  readonly state: RotationState;
  readonly lease: Lease;
  /** The last step: its history entry is written after this row, and once more before the next step. */
  readonly last: HistoryEntry | undefined;
}
/** `etag` is undefined where there is no row yet. */
export interface StoredRow extends RotationRow {
  readonly etag: string | undefined;
}

/** One version of a secret in the vault. */
export interface SecretPlace {
  readonly secret: string;
  readonly version: string;
}

/** What one tick sees. Fingerprints, never keys. */
export interface Evidence {
  readonly nowMs: number;
  readonly keys: Readonly<Record<Slot, string>> | AccountRefusal;
  readonly vault: VaultSight | 'absent' | 'disabled' | 'forbidden';
  /** While draining: the latest expiry in the ledger, read after the head row was bumped. */
  readonly tokensLiveUntilMs: number;
}
export interface VaultSight extends SecretPlace {
  /** Of the value itself, not of the tag. */
  readonly fingerprint: string;
  readonly tags: Readonly<Record<string, string>>;
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'Key1' ? 'Key2' : 'Key1';
}

/** The slot whose key has this fingerprint. */
export function slotOf(keys: Readonly<Record<Slot, string>>, fingerprint: string): Slot | undefined {
  if (keys.Key1 === fingerprint) return 'Key1';
  return keys.Key2 === fingerprint ? 'Key2' : undefined;
}

/** An account that the rotation has never seen. */
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
    },
  };
}

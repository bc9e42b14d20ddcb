/** What the rotation needs from the world beyond the shared ports. Every method may throw UpstreamFailure. */
import type { Resource, Rotation } from '../policy/schema.ts';
import type { Accounts, Clock, Head, Log, MintLedger, Vault } from '../ports.ts';
import type { Secret } from '../secret.ts';
import type { HistoryEntry, StoredRow } from './state.ts';

/** Rows by the key they stand under: the account's, or the resource's name where one was not carried over yet. */
export type Rows = ReadonlyMap<string, StoredRow | 'unreadable'>;

/** One row per account (account-key.ts), written only on condition that nobody wrote it in between; and what happened. */
export interface RotationStore {
  /** All rows, in one query. A row that cannot be read is there in words, and stops no other. */
  all(): Promise<Rows>;
  read(account: string): Promise<StoredRow | 'unreadable' | undefined>;
  /** On condition of the row's ETag, or that there is none yet. Returns the new ETag. */
  write(row: StoredRow): Promise<string | 'moved'>;
  /** Idempotent: a row that is not there is no error. */
  remove(account: string): Promise<void>;
  /** Idempotent by account and fence. */
  record(entry: HistoryEntry): Promise<void>;
  /** The newest first. */
  history(account: string, most: number): Promise<readonly HistoryEntry[]>;
}

/** Whether the account's data plane accepts a key, at every host that callers of this resource use. */
export interface KeyProof {
  /** False: no cheap authenticated call is known for accounts of this kind. */
  covers(resource: Resource): boolean;
  accepts(resource: Resource, key: Secret): Promise<boolean>;
}

export interface RotationPorts {
  readonly vault: Vault;
  readonly accounts: Accounts;
  readonly proof: KeyProof;
  readonly store: RotationStore;
  readonly ledger: MintLedger;
  readonly head: Head;
  readonly clock: Clock;
  /** Wall time from any beginning, which never jumps: for limits that Azure and the Functions host set. */
  readonly elapsedMs: () => number;
  readonly log: Log;
}

/** A resource whose keys are rotated: it has a secret and says how. */
export interface Target {
  readonly name: string;
  /** Its key in the tables (account-key.ts). */
  readonly account: string;
  readonly resource: Resource;
  readonly secret: string;
  readonly rotation: Rotation;
}

/** What the rotation needs from the outside, beyond src/ports.ts. Every method may throw UpstreamFailure. */
import type { Resource, Rotation } from '../policy/schema.ts';
import type { Accounts, Clock, Head, Log, MintLedger, Vault } from '../ports.ts';
import type { Secret } from '../secret.ts';
import type { PlanWriter } from './plan-row.ts';
import type { HistoryEntry, PublishedRow, StoredRow } from './state.ts';

export type Rows = ReadonlyMap<string, StoredRow | 'unreadable'>;
export type PublishedMap = ReadonlyMap<string, PublishedRow | 'unreadable'>;

export interface Written {
  readonly etag: string;
}
/** The machine's rows, one per account (account-key.ts), which are only written conditionally, and the history, which it only writes. */
export interface RotationStore {
  /** All rows, in one query. A row that cannot be parsed is 'unreadable', and the others are returned all the same. */
  all(): Promise<Rows>;
  read(account: string): Promise<StoredRow | 'unreadable' | undefined>;
  /** Writes if the stored ETag is still the row's; a row without ETag, if none is stored. `moved`: it is not. */
  write(row: StoredRow): Promise<Written | 'moved'>;
  /** Idempotent: a second write with the same account and fence replaces the first. */
  record(entry: HistoryEntry): Promise<void>;
}

/**
 * The rows that exchanges read. Their keys are the accounts' keys, or the resource's name where row.ts has not moved
 * the row yet. Read and written as those of RotationStore; an issuer may change a row's marks at any time.
 */
export interface PublishedRows {
  all(): Promise<PublishedMap>;
  read(account: string): Promise<PublishedRow | 'unreadable' | undefined>;
  write(row: PublishedRow): Promise<Written | 'moved'>;
  /** Writes over a row that cannot be parsed. `moved`: it can, or was written meanwhile. */
  repair(row: PublishedRow): Promise<Written | 'moved'>;
  /** Idempotent: a missing row is not an error. */
  remove(account: string): Promise<void>;
}

/** Tells whether the account's data plane accepts a key, at every host that callers of this resource use. */
export interface KeyProof {
  /** False where no cheap authenticated call is known for accounts of this kind. Their keys are not rotated. */
  covers(resource: Resource): boolean;
  accepts(resource: Resource, key: Secret): Promise<boolean>;
}

export interface RotationPorts {
  readonly vault: Vault;
  readonly accounts: Accounts;
  readonly proof: KeyProof;
  readonly store: RotationStore;
  readonly published: PublishedRows;
  readonly ledger: MintLedger;
  readonly head: Head;
  readonly plans: PlanWriter;
  readonly pauses: PauseReader;
  readonly clock: Clock;
  /** Milliseconds of a clock that never jumps, for the time limits of Azure and of the Functions host. */
  readonly elapsedMs: () => number;
  readonly log: Log;
  /** Runs the work on a resource, or one step of it, where it can be watched; it returns what the work returns. */
  readonly within: <T>(step: string | undefined, resource: string, work: () => Promise<T>) => Promise<T>;
}

/** What operators have said of an account: it beats the policy's `paused`. */
export interface Pause {
  readonly paused: boolean;
  /** An object id. */
  readonly by: string;
  readonly reason: string;
  /** When it was asked for, RFC 3339. */
  readonly at: string;
}
export interface PauseReader {
  /** By the account's key; an account about which nobody has said anything is missing. @throws UpstreamFailure */
  all(): Promise<ReadonlyMap<string, Pause>>;
}
export interface Pauses extends PauseReader {
  /** The latest word counts: one that is older by more than clocks can differ changes nothing. @throws UpstreamFailure */
  say(account: string, pause: Pause): Promise<void>;
}

/** A resource whose keys are rotated: the policy names its secret and has rotation settings for it. */
export interface Target {
  readonly name: string;
  /** The account's key in the tables (account-key.ts). */
  readonly account: string;
  readonly resource: Resource;
  readonly secret: string;
  readonly rotation: Rotation;
}

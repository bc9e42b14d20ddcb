/** What the revocation needs from the world beyond the shared ports. Every method may throw UpstreamFailure. */
import type { PublicKey, Slot } from '../ports.ts';
import type { Entry } from './entry.ts';

/** The entries, by scope key. */
export interface RevocationTable {
  /**
   * Applies `change` under an ETag until it holds; it may run several times and must be pure. Returning the
   * entry it was given, or undefined for none, writes nothing. Durable when it returns.
   */
  update(key: string, change: (current: Entry | undefined) => Entry | undefined): Promise<Entry | undefined>;
  list(): Promise<readonly Entry[]>;
  /** Removes the entry if `isGone` still says so of what is there now. */
  remove(key: string, isGone: (current: Entry) => boolean): Promise<void>;
}

/**
 * What was received, kept by kind and key: `request` what a revocation request came to when first seen,
 * `lifted` the causes of blocks that were lifted, `signal` the Security Event Tokens seen, `poison` events that could not be used, `effect` how fast a
 * revocation was in force, `cursor` how far the directory has been read.
 */
export type EventKind = 'request' | 'lifted' | 'signal' | 'poison' | 'effect' | 'cursor';
export type EventRecord = Readonly<Record<string, string>>;
export interface EventStore {
  /** The record that is kept under this key from now on: this one, or the one that was there before. */
  keepFirst(kind: EventKind, key: string, record: EventRecord, keepUntilMs: number): Promise<EventRecord>;
  replace(kind: EventKind, key: string, record: EventRecord, keepUntilMs: number): Promise<void>;
  find(kind: EventKind, key: string): Promise<EventRecord | undefined>;
  /** Keys in order, from `fromKey` on, at most `most`. */
  list(kind: EventKind, fromKey: string, most: number): Promise<readonly EventRecord[]>;
  /** Removes what need not be kept any longer. */
  sweep(nowMs: number): Promise<void>;
}

/** A user as Microsoft Graph has it now. */
export interface DirectoryUser {
  readonly objectId: string;
  readonly enabled: boolean;
  /** Tokens issued before are void; undefined where Graph says none. */
  readonly sessionsValidFromMs: number | undefined;
}
/** One page of what changed since a cursor. */
export interface DirectoryChanges<Item> {
  readonly items: readonly Item[];
  /** Opaque; where to go on. */
  readonly cursor: string;
  readonly more: boolean;
}
/** A group of the policy, as it changed. */
export interface GroupChange {
  readonly groupId: string;
  readonly deleted: boolean;
  readonly removedMembers: readonly string[];
}
/** Microsoft Graph, for the home tenant. */
export interface Directory {
  /** `nameOrId`: an object id or a user principal name. `deleted` also when it never was there. */
  user(nameOrId: string): Promise<DirectoryUser | 'deleted'>;
  /** `undefined` cursor: from now on. `expired`: the cursor is too old, all must be read again. */
  userChanges(cursor: string | undefined): Promise<DirectoryChanges<string> | 'expired'>;
  groupChanges(
    cursor: string | undefined,
    groups: readonly string[],
  ): Promise<DirectoryChanges<GroupChange> | 'expired'>;
}

/** What a revocation asks of the rotation. Each is safe to ask twice. */
export interface KeyRotation {
  /** Compares account and vault and mends what differs. */
  heal(resource: string): Promise<unknown>;
  retireNow(
    resource: string,
    request: { readonly slot?: Slot; readonly emergency: boolean; readonly reason: string },
  ): Promise<{ readonly begun: boolean; readonly why: string } | undefined>;
  /** The slot whose key has this SHA-256, read from the accounts themselves, `first` before the others. */
  findSlotByKeyHash(
    sha256: string,
    first: string | undefined,
  ): Promise<{ readonly resource: string; readonly slot: Slot } | undefined>;
  /** The version that the rotation last published, as it remembers it. */
  publishedVersion(resource: string): Promise<string | undefined>;
}

/** The keys a transmitter signs with. `undefined`: it publishes no such key. */
export interface TransmitterKeys {
  find(jwksUri: string, keyId: string): Promise<PublicKey | undefined>;
}

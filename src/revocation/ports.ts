/** The ports that only the revocation needs. Every method may throw UpstreamFailure. */
import type { PublicKey, Slot } from '../ports.ts';
import type { Entry } from './entry.ts';

/** The entries, by scope key. */
export interface RevocationTable {
  /**
   * Applies `change` and writes the result on the row's ETag; when that has moved, it reads again and retries. So
   * `change` must be pure. If it returns what it was given, nothing is written. The result is durable.
   */
  update(key: string, change: (current: Entry | undefined) => Entry | undefined): Promise<Entry | undefined>;
  list(): Promise<readonly Entry[]>;
  /** Reads the entry again and removes it if `isGone` is true of it. The one that was changed last of all stays. */
  remove(key: string, isGone: (current: Entry) => boolean): Promise<void>;
  /**
   * Forgets the changes up to this number. Whoever has not looked since loads all entries again.
   * @returns the number of the latest change
   */
  trimLog(through: number): Promise<number>;
}

/**
 * Records by kind and key: `request` the cut-off that a request had when it was first received, `lifted` the causes
 * of blocks that were lifted, `signal` the Security Event Tokens received, `poison` events that could not be used,
 * `effect` when a revocation was in force, `cursor` how far the directory was read and when tables were tidied,
 * `handled` what came of a leaked key that was reported.
 */
export type EventKind = 'request' | 'lifted' | 'signal' | 'poison' | 'effect' | 'cursor' | 'handled';
export type EventRecord = Readonly<Record<string, string>>;
export interface EventStore {
  /** Stores the record unless the key has one already. @returns the record that the key has now */
  keepFirst(kind: EventKind, key: string, record: EventRecord, keepUntilMs: number): Promise<EventRecord>;
  replace(kind: EventKind, key: string, record: EventRecord, keepUntilMs: number): Promise<void>;
  find(kind: EventKind, key: string): Promise<EventRecord | undefined>;
  /** At most `most` records, in the order of their keys, from `fromKey` on. */
  list(kind: EventKind, fromKey: string, most: number): Promise<readonly EventRecord[]>;
  /** Removes the records whose `keepUntilMs` has passed. */
  sweep(nowMs: number): Promise<void>;
}

/** A user's current state in Microsoft Graph. */
export interface DirectoryUser {
  readonly objectId: string;
  readonly enabled: boolean;
  /** Tokens issued before it are no longer valid; undefined when Graph gives no such time. */
  readonly sessionsValidFromMs: number | undefined;
}
/** One page of the changes since a cursor. */
export interface DirectoryChanges<Item> {
  readonly items: readonly Item[];
  /** Opaque text of Graph's; the next page starts there. */
  readonly cursor: string;
  readonly more: boolean;
}
/** A change of a group that the policy names. */
export interface GroupChange {
  readonly groupId: string;
  readonly deleted: boolean;
  readonly removedMembers: readonly string[];
}
/** Microsoft Graph, for the home tenant. */
export interface Directory {
  /** `nameOrId`: an object id or a user principal name. `absent`: the user was deleted, or never existed. */
  user(nameOrId: string): Promise<DirectoryUser | 'absent'>;
  /** Whether the user is among the deleted items, where Entra keeps it for 30 days or until it is purged. */
  isDeleted(objectId: string): Promise<boolean>;
  /** Without a cursor the changes begin now. `expired`: the cursor is too old, so changes were missed. */
  userChanges(cursor: string | undefined): Promise<DirectoryChanges<string> | 'expired'>;
  groupChanges(
    cursor: string | undefined,
    groups: readonly string[],
  ): Promise<DirectoryChanges<GroupChange> | 'expired'>;
}

/** What the revocation asks of the rotation. Each request may be repeated. */
export interface KeyRotation {
  /** Compares the account's keys with the vault's and repairs what differs. */
  heal(resource: string): Promise<unknown>;
  retireNow(
    resource: string,
    request: {
      readonly slot?: Slot;
      readonly emergency: boolean;
      readonly reason: string;
      /** What was asked for under this id is not begun a second time. */
      readonly demand?: string;
    },
  ): Promise<{ readonly kind: 'begun' | 'notBegun'; readonly why: string } | undefined>;
  /** The slot whose key has this SHA-256. Reads the keys of the accounts, starting with the resource `first`. */
  findSlotByKeyHash(
    sha256: string,
    first: string | undefined,
  ): Promise<{ readonly resource: string; readonly slot: Slot } | undefined>;
  /** The secret's version that the rotation published last, from its stored state. */
  publishedVersion(resource: string): Promise<string | undefined>;
}

/** The public keys of the transmitters. `undefined`: the transmitter publishes no key with this id. */
export interface TransmitterKeys {
  find(jwksUri: string, keyId: string): Promise<PublicKey | undefined>;
}

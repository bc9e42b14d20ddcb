/**
 * Everything that the capabilities need from the outside, on one page. The adapters in azure/ implement these
 * interfaces, and tests have fakes of them written by hand. Everything that takes time, can fail or keeps state is
 * behind one of them. Each method may throw UpstreamFailure, and nothing else.
 */
import type { webcrypto } from 'node:crypto';
import type { Secret } from './secret.ts';
import type { TokenKind } from './token-kind.ts';

/** A public key that tokens or signals are verified with. */
export type PublicKey = webcrypto.CryptoKey;

/** Milliseconds since the Unix epoch. Virtual in local mode. */
export type Clock = () => number;

/** One of the two keys of an Azure AI account, spelled as ARM wants it. */
export type Slot = 'Key1' | 'Key2';

// --- who asks -----------------------------------------------------------------------------------------

/** A caller whose Entra access token has been verified. */
export interface Caller {
  readonly kind: 'user' | 'application';
  readonly tenantId: string;
  readonly objectId: string;
  readonly clientId: string;
  /** Entra's token identifier (the jti equivalent). Case-sensitive. */
  readonly uti: string;
  /** Entra's pairwise `sub`: how a Security Event Token names the user when it follows RFC 9493 to the letter. */
  readonly subject?: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly scopes: readonly string[];
  readonly appRoles: readonly string[];
  readonly groups: readonly string[];
  /** The person is in more groups than a token holds, so Entra put none into it. */
  readonly groupOverage?: boolean;
  /** Set: an Entra agent identity asks, and `clientId` is the agent's. */
  readonly agent?: Agent;
  readonly token: Secret;
}
export interface Agent {
  /** The application id of the agent's blueprint, which gets the tokens of all its agents. */
  readonly blueprintId: string;
  /**
   * For whom: itself, its own user account, or a person who has signed in. `unstated`: a user's token of which Entra
   * does not say it, so nobody may take it for a person's.
   */
  readonly actsFor: 'itself' | 'own_account' | 'person' | 'unstated';
}

/** The public keys that sign a tenant's tokens, per token version, as the tenant's own metadata publishes them. */
export interface SigningKeys {
  /** `undefined`: there is no such key. For an unknown key id the keys are fetched again first, once per cooldown. */
  find(tenantId: string, version: '1.0' | '2.0', keyId: string): Promise<SigningKey | undefined>;
}
export interface SigningKey {
  readonly key: PublicKey;
  /** The `issuer` of the tenant's metadata; a token's `iss` must equal it. */
  readonly issuer: string;
  /** The key's own `issuer` member, which may hold `{tenantid}`; absent on v1 keys. */
  readonly keyIssuer: string | undefined;
}

// --- what is handed out -------------------------------------------------------------------------------

/** A token that an upstream service issued. */
export interface IssuedToken {
  readonly token: Secret;
  readonly expiresAtMs: number;
}

/** The key exchange of an Azure AI account, `sts/v1.0/issueToken`. */
export interface Sts {
  /** `keyRefused`: the service answered that this key is not (or no longer, or not yet) usable. */
  issue(host: string, key: Secret): Promise<IssuedToken | 'keyRefused'>;
}

/** Entra tokens for the resource's scope. */
export interface EntraTokens {
  byApplication(scope: string): Promise<IssuedToken>;
  /** `clientId` absent: the system-assigned identity. */
  byManagedIdentity(scope: string, clientId: string | undefined): Promise<IssuedToken>;
  onBehalfOf(scope: string, userToken: Secret): Promise<IssuedToken | OnBehalfOfRefusal>;
}
/** Entra refuses to act for this user, by Conditional Access or without consent. The caller gets `claims` unchanged. */
export interface OnBehalfOfRefusal {
  readonly refused: 'interaction_required' | 'invalid_grant';
  readonly claims: string | undefined;
}

// --- the vault ----------------------------------------------------------------------------------------

export interface SecretVersion {
  readonly version: string;
  readonly enabled: boolean;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
}
/** A readable version, with the account key it holds. */
export interface VaultKey extends SecretVersion {
  readonly value: Secret;
}
/** What the exchange needs of Key Vault. */
export interface VaultReader {
  /** The current version, or why there is none that can be read. */
  current(secret: string): Promise<VaultKey | 'absent' | 'disabled'>;
  /** One version, current or not. `absent` may also mean that the answer came from a copy that lags. */
  read(secret: string, version: string): Promise<VaultKey | 'absent' | 'disabled'>;
}
/** What the rotation needs of Key Vault. There is no conditional write, so the rotation writes and reads back. */
export interface Vault extends VaultReader {
  /** `deleted`: the name is soft-deleted and cannot be written until recovered. */
  write(
    secret: string,
    value: Secret,
    tags: Record<string, string>,
    expiresAtMs: number,
  ): Promise<{ readonly version: string } | 'deleted'>;
  versions(secret: string): Promise<readonly SecretVersion[]>;
  disable(secret: string, version: string): Promise<void>;
}

// --- the accounts -------------------------------------------------------------------------------------

export interface AccountKeys {
  readonly Key1: Secret;
  readonly Key2: Secret;
}
/** Why ARM refuses to list or change keys. It is a state for people to see, so it is returned and not thrown. */
export type AccountRefusal = 'localAuthDisabled' | 'forbidden' | 'notFound';
/** Azure AI accounts through ARM. */
export interface Accounts {
  listKeys(accountId: string): Promise<AccountKeys | AccountRefusal>;
  /**
   * Each call makes a new key. After a lost answer the outcome is unknown: the fingerprints tell whether the key has
   * changed, and only then may it be called again.
   */
  regenerate(accountId: string, slot: Slot): Promise<AccountKeys | AccountRefusal>;
}

// --- what all instances agree on ----------------------------------------------------------------------

/** What is revoked. */
export type Scope =
  | { readonly kind: 'tenant'; readonly tenantId: string }
  | { readonly kind: 'user'; readonly tenantId: string; readonly objectId: string }
  /** The user by Entra's pairwise `sub`, which is all that some transmitters know. */
  | { readonly kind: 'subject'; readonly tenantId: string; readonly subject: string }
  | { readonly kind: 'client'; readonly tenantId: string; readonly clientId: string }
  | { readonly kind: 'token'; readonly tenantId: string; readonly uti: string }
  | { readonly kind: 'resource'; readonly name: string }
  | { readonly kind: 'grant'; readonly name: string }
  /** A token that the broker has issued, by the SHA-256 of its text. No instance returns it any more. */
  | { readonly kind: 'issued'; readonly sha256: string };

/** The entry of one scope. Caller tokens with `iat` before the cut-off are refused; while it is blocked, all are. */
export interface Revocation {
  readonly scope: Scope;
  /** Whole seconds since the Unix epoch, rounded up. It never moves back. */
  readonly cutOffSeconds: number;
  readonly blocked: boolean;
}

/** Why a caller's token is refused, and what would be accepted in its place. */
export interface Refusal {
  /** The widest block that refuses the token; where there is no block, the widest cut-off. */
  readonly scope: Scope;
  /** A caller token with this `iat` or a later one is accepted; undefined: none is, however new. */
  readonly acceptedFromSeconds: number | undefined;
}

/** What an exchange must know of a resource's keys. */
export interface SlotState {
  /** Goes up with every change of the vault's current key. A cached token of another generation is bought again. */
  readonly generation: number;
  /** No token may be bought with this slot any more. */
  readonly retiring: Slot | undefined;
  /** Goes up with every emergency. A cached token of another epoch is never returned. */
  readonly epoch: number;
  /** The secret version to buy with; undefined until the rotation has adopted the account. */
  readonly current?: CurrentKey | undefined;
}
export interface CurrentKey {
  readonly slot: Slot;
  readonly secret: string;
  readonly version: string;
}

/** All of the shared state that an exchange needs, as it was at one version of the head row. */
export interface Snapshot {
  /** The head row's ETag. */
  readonly version: string;
  /** One map for all snapshots of an instance: it may say what is newer than the version, never what is older. */
  readonly revocations: ReadonlyMap<string, Revocation>;
  /** By the key of the account (account-key.ts). */
  readonly slots: ReadonlyMap<string, SlotState>;
  /** The version of the policy in force; undefined: none ever was. */
  readonly policy: string | undefined;
}
/** The head row, and the revocations and slots whose changes it announces. */
export interface SharedState {
  /** The head row's ETag, by one point read. */
  version(): Promise<string>;
  /**
   * Reads all that stands behind the head; of the revocations only what was changed since the load before. The version
   * is read first: a change during the read shows as a moved head at the next look. One load at a time.
   */
  load(): Promise<Snapshot>;
}
/** Each change that can alter an exchange is written first, then the head is bumped, then its sender is answered. */
export interface Head {
  bump(): Promise<void>;
}

/** Ends the use of a leaked key before the rotator has heard of it. Only an issuer sets marks. */
export interface EmergencyMark {
  /**
   * Marks the slot, or the active one: from the answer on, no exchange that begins hands out a token that was bought
   * with its key, until that key is regenerated. The rotator takes the mark up as the demand's own beginning, so the
   * demand is stored before. `unmarked`: no rotator works on the account yet, so nothing was changed.
   * @param account the account's key in the tables (account-key.ts)
   * @param demand the id of the demand
   * @throws UpstreamFailure when it is not known whether the mark is set; to mark again does no harm
   */
  mark(
    account: string,
    slot: Slot | undefined,
    demand: string,
  ): Promise<{ readonly slot: Slot } | 'unmarked'>;
}

// --- between the two apps -----------------------------------------------------------------------------

/** A queue that the rotator app reads. The issuer app can put messages and nothing else. */
export interface Queue {
  /**
   * Durable when it returns. A message may arrive twice, late or in another order.
   * @param text JSON
   * @param deadlineMs for all attempts together
   */
  put(text: string, deadlineMs: number): Promise<void>;
}

// --- evidence -----------------------------------------------------------------------------------------

/** The latest time at which a token bought with a slot can still live. */
export interface MintLedger {
  /**
   * Durable when it returns. It never lowers an earlier declaration of this instance.
   * @param account the account's key in the tables (account-key.ts)
   */
  declare(account: string, slot: Slot, instance: string, expiresAtMs: number): Promise<void>;
  /** The latest declaration of all instances; 0 when no token was ever bought with the slot. */
  latestExpiryMs(account: string, slot: Slot): Promise<number>;
}

/** A token that the broker has bought, as introspection needs it. Its key is the SHA-256 of its text. */
export interface IssuedRecord {
  readonly sha256: string;
  readonly resource: string;
  readonly tokenKind: TokenKind;
  /** The account's epoch when it was bought with a key; a token of an older epoch is not returned any more. */
  readonly epoch: number | undefined;
  /** The user that an on-behalf-of token acts for. */
  readonly user: { readonly tenantId: string; readonly objectId: string } | undefined;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}
export interface IssuedTokens {
  record(token: IssuedRecord): Promise<void>;
  find(sha256: string): Promise<IssuedRecord | undefined>;
}

/** One decision or one act of an operator, as the security team reads it. */
export interface AuditRecord {
  readonly at: string;
  readonly correlationId: string;
  /** Of an exchange; `done` and `failed` are of an act, which may be `refused` too. */
  readonly outcome: 'granted' | 'refused' | 'withheld' | 'done' | 'failed';
  readonly instance: string;
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly objectId?: string;
  readonly uti?: string;
  /** A resource of the policy; in a refusal also what the caller named instead, without secrets and cut short. */
  readonly resource?: string;
  /** The first 12 hexadecimal digits of the version of the policy that decided. */
  readonly policy?: string;
  readonly grant?: string;
  readonly tokenKind?: string;
  /** `would-have-denied` or `would-have-granted`, and the grant: what the shadowed part of the policy would decide. */
  readonly shadow?: readonly string[];
  /** The kind that the caller asked for; absent where it left the choice to the grant. */
  readonly asked?: string;
  readonly claims?: RecordedClaims;
  /** The first 16 hexadecimal digits of the handed-out token's SHA-256. */
  readonly token?: string;
  readonly expiresAt?: string;
  /** Why it was refused: the denial's kind and what only the owner may know. Of an act: what its operator gave. */
  readonly reason?: string;
  /** Set: what an operator did or tried, and on what. Such a record is about no exchange. */
  readonly act?: string;
  readonly target?: string;
  readonly operation?: string;
  /** Why an act was refused or failed. */
  readonly problem?: string;
  /** How many refusals of unverified callers this record stands for; absent when it is about one exchange. */
  readonly count?: number;
  /** Some of them. */
  readonly samples?: readonly RefusalSample[];
}
/** What the rules of a policy see of the caller beside its ids, bounded (exchange/claims.ts). */
export interface RecordedClaims {
  readonly kind: Caller['kind'];
  /** The token's `iat`. */
  readonly issuedAt: number;
  readonly appRoles?: readonly string[];
  readonly scopes?: readonly string[];
  /** Those that a rule of the policy names. */
  readonly groups?: readonly string[];
  /** The first four digits of each further group, one after the other. */
  readonly otherGroups?: string;
  /** How many further roles, scopes and groups are not recorded at all. */
  readonly left?: number;
  readonly groupOverage?: boolean;
  /** Set: `clientId` of the record is an agent's, and `objectId` whom it acts for. */
  readonly agent?: Agent;
}
export interface RefusalSample {
  readonly correlationId: string;
  /** What it asked for, as in `resource` of a record; absent where the request was not read so far. */
  readonly resource?: string;
}
export interface AuditLog {
  /** Durable when it returns. Records that wait at the same time share one write. */
  append(record: AuditRecord): Promise<void>;
}

/** Which records; what is absent is not asked about. */
export interface AuditQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly resource: string | undefined;
  /** The object id or the client id of who asked, or the blueprint of an agent that did. */
  readonly caller: string | undefined;
  readonly outcome: AuditRecord['outcome'] | undefined;
  readonly limit: number;
  /** Where to go on: a row, and how many of its records were seen. */
  readonly after: { readonly row: string; readonly record: number } | undefined;
}
/**
 * A page of the audit, the oldest first. `next` is where the next one begins; a page that took too long ends with it
 * too, and may then have no record. It may throw UpstreamFailure.
 */
export type ReadAudit = (
  query: AuditQuery,
) => Promise<{ readonly items: readonly AuditRecord[]; readonly next?: string }>;

/**
 * Reads the audit records that were written from one instant to another, the oldest first. `each` says whether to go on.
 * `stopped`: it said no. `unfinished`: there are more rows than can be read in the time. It may throw UpstreamFailure.
 */
export type ReadSpan = (
  fromMs: number,
  toMs: number,
  each: (record: AuditRecord) => boolean,
) => Promise<'whole' | 'stopped' | 'unfinished'>;

/** Writes a structured log line. Values are printed as they are, so none may be a token, a key or a URL with one. */
export type Log = (event: string, fields?: Record<string, string | number | boolean | undefined>) => void;

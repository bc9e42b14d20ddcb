/**
 * RFC 7662 introspection and RFC 7009 revocation of the tokens that the broker handed out. Azure issued them, and
 * Azure accepts them without asking the broker. So a revocation here only drops the token: the broker hands it out
 * no more, and answers until when Azure still accepts it from those who have it.
 */
import { slotsOf } from '../account-key.ts';
import { coalesce } from '../coalesce.ts';
import { Lru } from '../lru.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller, Clock, IssuedRecord, IssuedTokens, Snapshot } from '../ports.ts';
import { sha256 } from '../secret.ts';
import { ACTS_AS } from '../token-kind.ts';
import { AUDITOR, hasRole, OPERATOR } from './admit.ts';
import { isDropped, refuses } from './decision.ts';
import { secondsUntilNextDrop } from './drop-limit.ts';
import { effectKey, keptText } from './effect.ts';
import type { EventStore, RevocationTable } from './ports.ts';
import type { Revoke } from './revoke.ts';
import { scopeKey } from './scope.ts';

export interface IssuedDeps {
  readonly issued: IssuedTokens;
  readonly snapshot: () => Promise<Snapshot>;
  /** What the latest look found. A caller was admitted by a look that began after its request had come. */
  readonly known: () => Snapshot | undefined;
  /** Whether the policy gives this caller a token of this kind for this resource. */
  readonly mayHave: (caller: Caller, resource: string, kind: IssuedRecord['tokenKind']) => boolean;
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly revoke: Revoke;
  readonly now: Clock;
}

export interface Issued {
  /** `undefined`: unknown, expired, revoked, or the caller may not see it. The answer does not say which of these. */
  introspect(caller: Caller, token: string): Promise<IssuedRecord | undefined>;
  /**
   * `undefined`: the caller holds no such token, which counts as a success (RFC 7009 section 2.2).
   * `unsupported`: a managed identity's token. Azure returns this same token for up to 24 hours. Dropping it would
   * not end it, and nobody would get a token for the resource. The operator blocks the resource instead.
   * `rate_limited`: this holder has dropped as many tokens as allowed; the token is still handed out.
   */
  drop(
    caller: Caller,
    token: string,
  ): Promise<
    | IssuedRecord
    | 'unsupported'
    | { readonly kind: 'rate_limited'; readonly retryAfterSeconds: number }
    | undefined
  >;
}

/** Of those who asked to drop a token and had dropped as many as they may. */
const MAX_REFUSALS = 1_000;

export function createIssued(deps: IssuedDeps): Issued {
  const { issued, snapshot, known: lastSeen, mayHave, policy, table, events, revoke, now } = deps;
  // The list is the whole table, and a holder may ask at any rate. So all who wait share one list.
  const list = coalesce((_: readonly undefined[]) => table.list());
  // A holder who drops in a loop is refused from here, without another look, until the time it was told.
  const refusedUntilMs = new Lru<number>(MAX_REFUSALS);
  async function known(text: string): Promise<IssuedRecord | undefined> {
    const record = await issued.find(sha256(plainToken(text)));
    return record !== undefined && record.expiresAtMs > now() ? record : undefined;
  }

  return {
    async introspect(caller, text) {
      const record = await known(text);
      if (record === undefined) return undefined;
      if (!hasRole(caller, AUDITOR) && !isHolder(caller, record, mayHave)) return undefined;
      return isRevoked(record, await snapshot(), policy()) ? undefined : record;
    },

    async drop(caller, text) {
      const isOperator = hasRole(caller, OPERATOR);
      const asked = `${caller.tenantId} ${caller.objectId} ${sha256(plainToken(text))}`;
      const leftMs = (refusedUntilMs.get(asked) ?? 0) - now();
      const seen = lastSeen();
      // Somebody else may have dropped the token meanwhile. Then there is nothing left to refuse. The look by which
      // this caller was admitted is new enough to tell.
      if (
        leftMs > 0 &&
        !isOperator &&
        seen !== undefined &&
        !isDropped(seen.revocations, sha256(plainToken(text)))
      )
        return { kind: 'rate_limited', retryAfterSeconds: Math.ceil(leftMs / 1000) };
      const record = await known(text);
      if (record === undefined) return undefined;
      if (!isOperator && !isHolder(caller, record, mayHave)) return undefined;
      if (isOfManagedIdentity(record, policy())) return 'unsupported';
      const receivedAtMs = now();
      const scope = { kind: 'issued', sha256: record.sha256 } as const;
      // The limit does not count by client, because one person can sign in to any number of clients.
      const holder = keptText(`holder ${caller.objectId} of ${record.resource} `);
      const source = `${holder}by ${caller.clientId}`;
      const dropped = await table.update(scopeKey(scope), (current) => current);
      // The effect is recorded after the head is bumped. If it is there, every instance has dropped the token.
      if (dropped && (await events.find('effect', effectKey(dropped.receivedAtMs, scopeKey(scope)))))
        return record;
      if (dropped === undefined && !isOperator) {
        const retryAfterSeconds = secondsUntilNextDrop(await list(undefined), holder, record, receivedAtMs);
        if (retryAfterSeconds > 0) {
          refusedUntilMs.set(asked, receivedAtMs + retryAfterSeconds * 1000);
          return { kind: 'rate_limited', retryAfterSeconds };
        }
      }
      await revoke(
        [
          {
            scope,
            cutOffSeconds: Math.ceil(record.expiresAtMs / 1000),
            blockCause: undefined,
            reason: 'revoked by its holder',
            source,
            receivedAtMs,
          },
        ],
        record.expiresAtMs,
      );
      return record;
    },
  };
}

/** An on-behalf-of token is held by its user. A shared token is held by everyone who may exchange for such a token. */
function isHolder(caller: Caller, record: IssuedRecord, mayHave: IssuedDeps['mayHave']): boolean {
  const { user, resource, tokenKind } = record;
  if (user !== undefined && (user.tenantId !== caller.tenantId || user.objectId !== caller.objectId))
    return false;
  return mayHave(caller, resource, tokenKind);
}

function isOfManagedIdentity({ tokenKind, resource }: IssuedRecord, policy: Policy): boolean {
  const identity = policy.resources.find(({ name }) => name === resource)?.identity;
  return ACTS_AS[tokenKind] === 'identity' && identity?.kind !== 'application';
}

/**
 * A token counts as revoked when the broker would hand it out to nobody. A block of the resource and an emergency
 * of the key it was bought with have that effect. A cut-off of the resource does not: callers with a newer token of
 * their own still get a shared one. A user's cut-off ends the on-behalf-of tokens that were issued before it.
 */
function isRevoked(record: IssuedRecord, { revocations, slots }: Snapshot, policy: Policy): boolean {
  if (isDropped(revocations, record.sha256)) return true;
  const resource = policy.resources.find(({ name }) => name === record.resource);
  const epoch = (resource && slotsOf(slots, resource)?.epoch) ?? 0;
  if (record.epoch !== undefined && record.epoch !== epoch) return true;
  if (revocations.get(scopeKey({ kind: 'resource', name: record.resource }))?.blocked) return true;
  if (record.user === undefined) return false;
  const { tenantId, objectId } = record.user;
  const scopes = [{ kind: 'tenant', tenantId } as const, { kind: 'user', tenantId, objectId } as const];
  return scopes.some((scope) => {
    const entry = revocations.get(scopeKey(scope));
    return entry !== undefined && refuses(entry, Math.floor(record.issuedAtMs / 1000));
  });
}

/** Callers of Speech hold the token as `aad#<resource id>#<token>`. */
function plainToken(text: string): string {
  return text.startsWith('aad#') ? text.slice(text.lastIndexOf('#') + 1) : text;
}

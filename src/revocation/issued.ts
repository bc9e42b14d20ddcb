/**
 * RFC 7662 introspection and RFC 7009 revocation of the tokens the broker handed out. Azure issued them and
 * Azure checks them, without asking us: revoking one here drops it, so that nobody is handed it again, and
 * says until when it goes on working where it is already known.
 */
import { slotsOf } from '../account-key.ts';
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
  /** Whether the policy gives this caller a token of this kind for this resource. */
  readonly mayHave: (caller: Caller, resource: string, kind: IssuedRecord['tokenKind']) => boolean;
  readonly policy: Policy;
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly revoke: Revoke;
  readonly now: Clock;
}

export interface Issued {
  /** `undefined`: not ours, over, revoked, or none of this caller's business. These are not told apart. */
  introspect(caller: Caller, token: string): Promise<IssuedRecord | undefined>;
  /**
   * `undefined`: nothing of this caller's to revoke, which is a success too (RFC 7009 section 2.2).
   * `unsupported`: a managed identity's token. Azure gives that very token again for up to 24 hours, so to
   * drop it would not end it and would leave everybody else without one: block the resource instead.
   * `rate_limited`: this holder has dropped as many as a holder may; the token is handed out as before.
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

export function createIssued(deps: IssuedDeps): Issued {
  const { issued, snapshot, mayHave, policy, table, events, revoke, now } = deps;
  async function known(text: string): Promise<IssuedRecord | undefined> {
    const record = await issued.find(sha256(plainToken(text)));
    return record !== undefined && record.expiresAtMs > now() ? record : undefined;
  }

  return {
    async introspect(caller, text) {
      const record = await known(text);
      if (record === undefined) return undefined;
      if (!hasRole(caller, AUDITOR) && !isHolder(caller, record, mayHave)) return undefined;
      return isRevoked(record, await snapshot(), policy) ? undefined : record;
    },

    async drop(caller, text) {
      const record = await known(text);
      if (record === undefined) return undefined;
      if (!hasRole(caller, OPERATOR) && !isHolder(caller, record, mayHave)) return undefined;
      if (isOfManagedIdentity(record, policy)) return 'unsupported';
      const receivedAtMs = now();
      const scope = { kind: 'issued', sha256: record.sha256 } as const;
      const source = keptText(`holder ${caller.clientId} ${caller.objectId} of ${record.resource}`);
      const entries = await table.list();
      const dropped = entries.find((entry) => scopeKey(entry.scope) === scopeKey(scope));
      // The effect is recorded after the head's bump: with it, every instance knows, and there is nothing to do.
      if (dropped && (await events.find('effect', effectKey(dropped.receivedAtMs, scopeKey(scope)))))
        return record;
      if (dropped === undefined && !hasRole(caller, OPERATOR)) {
        const retryAfterSeconds = secondsUntilNextDrop(entries, source, record, receivedAtMs);
        if (retryAfterSeconds > 0) return { kind: 'rate_limited', retryAfterSeconds };
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

/** A shared token is held by everyone the policy gives such a token of the resource; an on-behalf-of token by its user alone. */
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
 * Active is what the broker would still hand to somebody. A resource's cut-off is about callers' tokens and
 * leaves shared ones good for those with a fresh token; its block stops them, and so does an emergency of the
 * key they were bought with. A user's cut-off ends what was obtained in the user's name before.
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

/** Speech callers hold `aad#<resource id>#<token>`. */
function plainToken(text: string): string {
  return text.startsWith('aad#') ? text.slice(text.lastIndexOf('#') + 1) : text;
}

/**
 * Decides whether a caller token is revoked for a target. Pure. Entra writes `iat` in whole seconds, so cut-offs
 * are whole seconds too, rounded up, and the two are compared exactly. That clocks differ is taken into account
 * when the cut-off is set (`cutOffSeconds`).
 */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import type { Caller, Refusal, Revocation, Scope } from '../ports.ts';
import { callerScopes, scopeKey } from './scope.ts';

/** Whether this caller is refused for this resource under this grant. At most eight map lookups. */
export function revokedBy(
  revocations: ReadonlyMap<string, Revocation>,
  caller: Caller,
  resource: string,
  grant: string,
): Refusal | undefined {
  // Nearly always nothing is revoked, and then an exchange should not spend time on building keys.
  if (revocations.size === 0) return undefined;
  return refusal(revocations, scopesOf(caller, resource, grant), caller.issuedAtSeconds);
}

function scopesOf(caller: Caller, resource: string, grant: string): Scope[] {
  return [...callerScopes(caller), { kind: 'resource', name: resource }, { kind: 'grant', name: grant }];
}

/** Every entry that refuses this caller, for whoever explains a decision of `revokedBy`. */
export function refusing(
  revocations: ReadonlyMap<string, Revocation>,
  caller: Caller,
  resource: string,
  grant: string,
): readonly Revocation[] {
  return scopesOf(caller, resource, grant)
    .flatMap((scope) => revocations.get(scopeKey(scope)) ?? [])
    .filter((entry) => refuses(entry, caller.issuedAtSeconds));
}

/**
 * Checks all scopes and returns the latest cut-off, so that a token from that time on is not refused by another
 * scope. Example: the user is cut off at 10:00 and the client at 10:05; the answer asks for a token from 10:05.
 */
export function refusal(
  revocations: ReadonlyMap<string, Revocation>,
  scopes: readonly Scope[],
  issuedAtSeconds: number,
): Refusal | undefined {
  let widest: Scope | undefined;
  let acceptedFromSeconds = 0;
  for (const scope of scopes) {
    const entry = revocations.get(scopeKey(scope));
    if (entry === undefined || !refuses(entry, issuedAtSeconds)) continue;
    const isOneToken = scope.kind === 'token';
    if (entry.blocked && !isOneToken) return { scope: entry.scope, acceptedFromSeconds: undefined };
    widest ??= entry.scope;
    // One token's entry refuses no other token of the caller, so a token from the next second is accepted.
    const fromSeconds = isOneToken ? issuedAtSeconds + 1 : entry.cutOffSeconds;
    acceptedFromSeconds = Math.max(acceptedFromSeconds, fromSeconds);
  }
  return widest && { scope: widest, acceptedFromSeconds };
}

/** Whether the broker was asked to drop this token, which it had handed out. No instance hands it out again. */
export function isDropped(revocations: ReadonlyMap<string, Revocation>, tokenSha256: string): boolean {
  return revocations.size > 0 && revocations.has(scopeKey({ kind: 'issued', sha256: tokenSha256 }));
}

/**
 * Whether the entry refuses a token that was issued in this second. The entry of one token does not compare times:
 * it names one token, so it has no newer tokens to let through.
 */
export function refuses(entry: Revocation, issuedAtSeconds: number): boolean {
  return entry.blocked || entry.scope.kind === 'token' || issuedAtSeconds < entry.cutOffSeconds;
}

/**
 * The cut-off that refuses all tokens issued until `asOfMs`, in whole seconds, rounded up. Entra's clock may be
 * ahead of the clock that `asOfMs` comes from, and then a token issued before it has an `iat` after it. So the
 * cut-off lies as far ahead as clocks may differ. A caller who signs in again within that time is refused too,
 * because nothing in a token tells the two apart. A smaller clock tolerance in the verification would not help: it
 * would refuse the token from before at first, and accept it a minute later.
 *
 * @param asOfMs `undefined` means now. A time in the future, which a wrong clock may have sent, counts as now.
 */
export function cutOffSeconds(asOfMs: number | undefined, nowMs: number): number {
  const now = Math.floor(nowMs / 1000) + 1;
  const asOf = asOfMs === undefined ? now : Math.min(Math.ceil(asOfMs / 1000), now);
  return asOf + MAX_CLOCKS_DIFFER_SECONDS;
}

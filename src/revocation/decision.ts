/**
 * The one decision: is this caller token revoked for this target? Pure, and one resolution: Entra says `iat` in
 * whole seconds, so cut-offs are whole seconds too, rounded up. There is no leeway when the two are compared.
 * Clocks that differ are dealt with when the cut-off is set (`cutOffSeconds`).
 */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import type { Caller, Refusal, Revocation, Scope } from '../ports.ts';
import { callerScopes, scopeKey } from './scope.ts';

/** Whether this caller is refused for this resource under this grant. At most eight lookups, however many entries there are. */
export function revokedBy(
  revocations: ReadonlyMap<string, Revocation>,
  caller: Caller,
  resource: string,
  grant: string,
): Refusal | undefined {
  // Nearly always nothing is revoked, and the hot path should not build keys for nothing.
  if (revocations.size === 0) return undefined;
  const scopes = [
    ...callerScopes(caller),
    { kind: 'resource' as const, name: resource },
    { kind: 'grant' as const, name: grant },
  ];
  return refusal(revocations, scopes, caller.issuedAtSeconds);
}

/**
 * All scopes are looked at: an older entry of one never hides a newer one of another, and whoever comes with the
 * token that the answer asks for must not be refused by the next entry.
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
    // Of one token's entry: every other token of the caller is spared by it, and a newer one is another one.
    const fromSeconds = isOneToken ? issuedAtSeconds + 1 : entry.cutOffSeconds;
    acceptedFromSeconds = Math.max(acceptedFromSeconds, fromSeconds);
  }
  return widest && { scope: widest, acceptedFromSeconds };
}

/** A token the broker handed out and was asked to drop: no instance hands it out again. */
export function isDropped(revocations: ReadonlyMap<string, Revocation>, tokenSha256: string): boolean {
  return revocations.size > 0 && revocations.has(scopeKey({ kind: 'issued', sha256: tokenSha256 }));
}

/**
 * Whether the entry refuses a token that is dated at this second. One token's own entry refuses it whatever its
 * date: it names that token and no other, so there is no newer one to spare.
 */
export function refuses(entry: Revocation, issuedAtSeconds: number): boolean {
  return entry.blocked || entry.scope.kind === 'token' || issuedAtSeconds < entry.cutOffSeconds;
}

/**
 * The cut-off that refuses all tokens issued until `asOfMs`, in whole seconds, rounded up. Entra's clock may be
 * ahead of the clock that told this time, and then what was issued before is dated after it. So the cut-off lies
 * as far ahead as clocks may differ, and a caller who signs in anew in that time is refused too: nothing in a
 * token tells a new one from one that was dated ahead. To let verification accept less that is dated ahead would
 * not help: such a token would be refused at first and accepted a minute later.
 *
 * @param asOfMs `undefined`, or a time in the future, which a wrong clock may have sent: now
 */
export function cutOffSeconds(asOfMs: number | undefined, nowMs: number): number {
  const now = Math.floor(nowMs / 1000) + 1;
  const asOf = asOfMs === undefined ? now : Math.min(Math.ceil(asOfMs / 1000), now);
  return asOf + MAX_CLOCKS_DIFFER_SECONDS;
}

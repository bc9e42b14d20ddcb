/**
 * The one decision: is this caller token revoked for this target? Pure, and one resolution: Entra says `iat` in
 * whole seconds, so cut-offs are whole seconds too, rounded up. There is no leeway when the two are compared.
 * Clocks that differ are dealt with when the cut-off is set (`cutOffSeconds`).
 */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import type { Caller, Revocation } from '../ports.ts';
import { callerScopes, scopeKey } from './scope.ts';

/**
 * The widest entry that refuses this caller for this resource under this grant, or `undefined`. At most eight
 * lookups, however many entries there are; an older entry of one scope never hides a newer one of another.
 */
export function revokedBy(
  revocations: ReadonlyMap<string, Revocation>,
  caller: Caller,
  resource: string,
  grant: string,
): Revocation | undefined {
  // Nearly always nothing is revoked, and the hot path should not build keys for nothing.
  if (revocations.size === 0) return undefined;
  const scopes = [
    ...callerScopes(caller),
    { kind: 'resource' as const, name: resource },
    { kind: 'grant' as const, name: grant },
  ];
  for (const scope of scopes) {
    const entry = revocations.get(scopeKey(scope));
    if (entry !== undefined && refuses(entry, caller.issuedAtSeconds)) return entry;
  }
  return undefined;
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

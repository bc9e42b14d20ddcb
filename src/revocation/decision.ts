/**
 * The one decision: is this caller token revoked for this target? Pure, no leeway, and one resolution:
 * Entra says `iat` in whole seconds, so cut-offs are whole seconds too, rounded up. A token minted in the
 * very second of a revocation, before or after it, is refused. Microsoft's sample tokens look as if Entra dated
 * `iat` five minutes back: where it does, a caller who signs in anew is refused for so long. That is the safe
 * side, and the only other clock to go by would be the token's end.
 */
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

/** Whether the entry refuses what was issued at that second. */
export function refuses(entry: Revocation, issuedAtSeconds: number): boolean {
  return entry.blocked || issuedAtSeconds < entry.cutOffSeconds;
}

/**
 * The cut-off for a revocation as of `notBeforeMs`, in whole seconds, rounded up. A time in the future is
 * clamped to now, so that a sender's wrong clock locks nobody out; now is the second after this one.
 */
export function cutOffSeconds(notBeforeMs: number | undefined, nowMs: number): number {
  const now = Math.floor(nowMs / 1000) + 1;
  return notBeforeMs === undefined ? now : Math.min(Math.ceil(notBeforeMs / 1000), now);
}

/**
 * Whether a request's `scope` means what its target gives anyway. Clients and gateways spell the scope of one account in
 * several ways: as v2 scope, with the doubled slash that a resource URI of v1 gets, as the bare resource URI, or with the
 * account's own endpoint. A list of them means the same. A scope of anything else is refused and never ignored, since the
 * caller would believe that it got it (RFC 6749 section 3.3).
 */
import type { Target } from '../policy/match.ts';

export function meansScopeOf({ resource, endpoint }: Target, scope: string): boolean {
  if (scope === resource.scope) return true;
  const own = new Set([resource.scope, resource.endpoint, endpoint].map(plain));
  const asked = scope.split(' ').filter(Boolean);
  return asked.length > 0 && asked.every((one) => own.has(plain(one)));
}

/** The resource URI alone: no `/.default`, no slash at the end, the host in lower case. */
function plain(scope: string): string {
  const uri = scope.replace(/\/\.default$/, '').replace(/\/{1,2}$/, '');
  return URL.canParse(uri) ? new URL(uri).href.replace(/\/$/, '') : uri;
}

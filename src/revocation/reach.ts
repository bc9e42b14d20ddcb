import { STS_LIFE_MS } from '../facts/sts.ts';
import { matches } from '../policy/pattern.ts';
import type { CallerRule, Policy } from '../policy/schema.ts';
import type { Scope } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';

/** The longest life of a token under a grant with this `maxLifetime`. For Entra tokens a tenant can set any life. */
const LONGEST_MS: Readonly<Record<TokenKind, (maxLifetimeMs: number) => number>> = {
  sts: (maxLifetimeMs) => Math.min(STS_LIFE_MS, maxLifetimeMs),
  entra: (maxLifetimeMs) => maxLifetimeMs,
  obo: (maxLifetimeMs) => maxLifetimeMs,
};

/**
 * The longest time (ms) for which a token that was just handed out to somebody in this scope stays valid, computed
 * from the policy. No revocation can shorten it, because Azure accepts these tokens without asking the broker.
 */
export function longestTokenMs(policy: Policy, scope: Scope): number {
  const lives = policy.grants
    .filter(({ shadow }) => shadow !== true)
    .filter((grant) => scope.kind !== 'grant' || grant.name === scope.name)
    .filter(({ callers }) => callers.some((rule) => mayBe(rule, scope, policy)))
    .flatMap((grant) =>
      policy.resources
        .filter(({ name }) => grant.resources.some((pattern) => matches(pattern, name)))
        .filter(({ name }) => scope.kind !== 'resource' || name === scope.name)
        .flatMap(({ tokenKinds }) => tokenKinds.filter((kind) => grant.tokenKinds.includes(kind)))
        .map((kind) => LONGEST_MS[kind](grant.maxLifetime)),
    );
  return Math.max(0, ...lives);
}

/** The longest time (ms) for which a token that was just bought with a key of this resource stays valid. */
export function keyTokenMs(policy: Policy, resource: string): number {
  const tokenKinds = policy.resources.find(({ name }) => name === resource)?.tokenKinds ?? [];
  return Math.max(
    0,
    ...tokenKinds.map((kind) =>
      ACTS_AS[kind] === 'accountKey' ? LONGEST_MS[kind](Number.POSITIVE_INFINITY) : 0,
    ),
  );
}

/** False only when the rule cannot apply to anybody in the scope. */
function mayBe(rule: CallerRule, scope: Scope, policy: Policy): boolean {
  if (!('tenantId' in scope)) return true;
  const tenant = policy.tenants.find(({ name }) => name === rule.tenant);
  if (tenant?.id !== scope.tenantId) return false;
  if (scope.kind === 'user') return rule.objectId === undefined || rule.objectId === scope.objectId;
  // The scope has the client itself and, if it is a blueprint, its agents, whose client ids nobody can tell from here.
  if (scope.kind === 'client')
    return (
      rule.clientId === undefined ||
      rule.clientId === scope.clientId ||
      rule.blueprint === undefined ||
      rule.blueprint === scope.clientId
    );
  return true;
}

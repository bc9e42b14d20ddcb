import { STS_LIFE_MS } from '../facts/sts.ts';
import { matches } from '../policy/load.ts';
import type { CallerRule, Policy } from '../policy/schema.ts';
import type { Scope } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';

/** How long a token may live under a grant with this `maxLifetime`. An Entra tenant may set any life within it. */
const LONGEST_MS: Readonly<Record<TokenKind, (maxLifetimeMs: number) => number>> = {
  sts: (maxLifetimeMs) => Math.min(STS_LIFE_MS, maxLifetimeMs),
  entra: (maxLifetimeMs) => maxLifetimeMs,
  obo: (maxLifetimeMs) => maxLifetimeMs,
};

/**
 * How long a token that was handed out a moment ago to someone in this scope may still live, from the policy
 * alone: what no revocation can end, because the tokens are checked by Azure and not by the broker.
 */
export function longestTokenMs(policy: Policy, scope: Scope): number {
  const lives = policy.grants
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

/** How long a token that was bought with a key of this resource may still live. */
export function keyTokenMs(policy: Policy, resource: string): number {
  const tokenKinds = policy.resources.find(({ name }) => name === resource)?.tokenKinds ?? [];
  return Math.max(
    0,
    ...tokenKinds.map((kind) =>
      ACTS_AS[kind] === 'accountKey' ? LONGEST_MS[kind](Number.POSITIVE_INFINITY) : 0,
    ),
  );
}

/** False only where the rule cannot apply to anybody in the scope. */
function mayBe(rule: CallerRule, scope: Scope, policy: Policy): boolean {
  if (!('tenantId' in scope)) return true;
  const tenant = policy.tenants.find(({ name }) => name === rule.tenant);
  if (tenant?.id !== scope.tenantId) return false;
  if (scope.kind === 'user') return rule.objectId === undefined || rule.objectId === scope.objectId;
  if (scope.kind === 'client') return rule.clientId === undefined || rule.clientId === scope.clientId;
  return true;
}

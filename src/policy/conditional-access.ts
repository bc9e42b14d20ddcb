/**
 * Warns of a valid policy that gives a user more than was probably meant. For an `obo` token Entra applies Conditional Access to the user.
 * An `entra` token for the same account is the broker's own, without any user. So a caller who may have both kinds
 * can get the second when Entra refuses the first.
 */
import { placeOf } from './draft.ts';
import { byName } from './names.ts';
import { APP_ROLES, isForApplications } from './registration.ts';
import type { CallerRule, Grant, Policy, Resource } from './schema.ts';

interface Given {
  readonly path: string;
  readonly rule: CallerRule;
}

/** @returns one line for each place, with its path */
export function conditionalAccessWarnings({ grants, resources }: Policy): readonly string[] {
  const matching = byName(resources.map((resource) => [resource.name, resource]));
  const direct = givenBy(grants, 'entra', matching);
  const onBehalf = givenBy(grants, 'obo', matching);
  const warnings = resources.flatMap((resource) => {
    const { name } = resource;
    return (onBehalf.get(resource) ?? []).flatMap((obo) =>
      (direct.get(resource) ?? [])
        .filter(({ rule }) => mayBeOneUser(obo.rule, rule))
        .map(
          ({ path }) =>
            `${path}: a user may have entra tokens for ${name}, and obo tokens by ${obo.path === path ? 'the same rule' : obo.path}: what Conditional Access refuses on behalf of them, they get without`,
        ),
    );
  });
  return [...new Set(warnings)];
}

/** Which rules give a kind of token to a user, in the order of the policy, for each resource that gives the kind. */
function givenBy(
  grants: readonly Grant[],
  kind: 'obo' | 'entra',
  matching: (pattern: string) => readonly Resource[],
): ReadonlyMap<Resource, readonly Given[]> {
  const giving = new Map<Resource, Given[]>();
  for (const [index, grant] of grants.entries()) {
    if (!grant.tokenKinds.includes(kind)) continue;
    const rules = grant.callers
      .map((rule, number) => ({ path: `${placeOf('grants', index, grant.name)}.callers[${number}]`, rule }))
      .filter(({ rule }) => mayBeUser(rule));
    for (const resource of new Set(grant.resources.flatMap(matching))) {
      if (!resource.tokenKinds.includes(kind)) continue;
      const earlier = giving.get(resource);
      if (earlier === undefined) giving.set(resource, [...rules]);
      else earlier.push(...rules);
    }
  }
  return giving;
}

/** A rule with an app role that the registration does not have, and neither scope nor group, is meant for applications. */
function mayBeUser({ appRole, scope, group }: CallerRule): boolean {
  if (appRole !== undefined && APP_ROLES.has(appRole)) return !isForApplications(appRole);
  return appRole === undefined || scope !== undefined || group !== undefined;
}

/** Whether one token can match both rules. It cannot if they name different clients, people or tenants. */
function mayBeOneUser(one: CallerRule, other: CallerRule): boolean {
  const agree = (member: 'clientId' | 'objectId' | 'blueprint') =>
    one[member] === undefined || other[member] === undefined || one[member] === other[member];
  return one.tenant === other.tenant && agree('clientId') && agree('objectId') && agree('blueprint');
}

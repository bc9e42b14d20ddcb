/**
 * Warns of a valid policy that gives a user more than was probably meant. For an `obo` token Entra applies Conditional Access to the user.
 * An `entra` token for the same account is the broker's own, without any user. So a caller who may have both kinds
 * can get the second when Entra refuses the first.
 */
import { placeOf } from './draft.ts';
import { byName } from './names.ts';
import { APP_ROLES, isForApplications } from './registration.ts';
import type { CallerRule, Grant, Policy, Resource } from './schema.ts';

/** A rule with its path. */
interface Given {
  readonly path: string;
  readonly rule: CallerRule;
}

/** @returns one line for each rule, with its path */
export function conditionalAccessWarnings({ grants, resources }: Policy): readonly string[] {
  const rules = grants.map(({ name, callers }, index) =>
    callers
      .map((rule, number): Given => ({ path: `${placeOf('grants', index, name)}.callers[${number}]`, rule }))
      .filter(({ rule }) => mayBeUser(rule)),
  );
  const of = (places: readonly number[]): readonly Given[] => places.flatMap((place) => rules[place] ?? []);
  const warned = new Map<string, { name: string; by: string; others: number }>();
  for (const { names, direct, onBehalf } of alike(grants, resources)) {
    const firstOboRule = whoMayBe(of(onBehalf));
    for (const given of of(direct)) {
      const by = firstOboRule(given);
      if (by === undefined) continue;
      const [name = '', ...others] = names;
      const earlier = warned.get(given.path);
      if (earlier === undefined) warned.set(given.path, { name, by, others: others.length });
      else earlier.others += names.length;
    }
  }
  return [...warned].map(([path, { name, by, others }]) => {
    const more = others === 0 ? '' : ` and ${others} more`;
    return `${path}: a user may have entra tokens for ${name}${more}, and obo tokens by ${by === path ? 'the same rule' : by}: what Conditional Access refuses on behalf of them, they get without`;
  });
}

/** Resources for which the same grants give both kinds, so that thousands of them are looked at once. */
interface Alike {
  readonly names: string[];
  /** Places of grants. */
  readonly direct: readonly number[];
  readonly onBehalf: readonly number[];
}
function alike(grants: readonly Grant[], resources: readonly Resource[]): Iterable<Alike> {
  const matching = byName(resources.map((resource) => [resource.name, resource]));
  const giving = (kind: 'obo' | 'entra'): ReadonlyMap<Resource, readonly number[]> => {
    const places = new Map<Resource, number[]>();
    for (const [place, grant] of grants.entries()) {
      if (!grant.tokenKinds.includes(kind)) continue;
      for (const resource of new Set(grant.resources.flatMap(matching))) {
        if (!resource.tokenKinds.includes(kind)) continue;
        const earlier = places.get(resource);
        if (earlier === undefined) places.set(resource, [place]);
        else earlier.push(place);
      }
    }
    return places;
  };
  const [entra, obo] = [giving('entra'), giving('obo')];
  const found = new Map<string, Alike>();
  for (const resource of resources) {
    const [direct, onBehalf] = [entra.get(resource), obo.get(resource)];
    if (direct === undefined || onBehalf === undefined) continue;
    const key = `${direct.join()} ${onBehalf.join()}`;
    const earlier = found.get(key);
    if (earlier === undefined) found.set(key, { names: [resource.name], direct, onBehalf });
    else earlier.names.push(resource.name);
  }
  return found.values();
}

/** What one token has one of. Two rules that name different ones are for different callers. */
const SINGLE = ['clientId', 'objectId', 'blueprint'] as const;

/**
 * @returns for a rule, the path of the first of `rules` that one token can match together with it; its own, where it is
 * among them
 */
function whoMayBe(rules: readonly Given[]): (given: Given) => string | undefined {
  const paths = rules.map(({ path }) => path);
  const own = new Set(paths);
  const first = new Map<string, number>();
  for (const [place, { rule }] of rules.entries())
    for (const key of keysOf(rule, (named) => [named ?? 'any', 'whatever']))
      if (!first.has(key)) first.set(key, place);
  return ({ path, rule }) => {
    if (own.has(path)) return path;
    const keys = keysOf(rule, (named) => (named === undefined ? ['whatever'] : [named, 'any']));
    return paths[Math.min(...keys.map((key) => first.get(key) ?? paths.length))];
  };
}

/** The tenant and, for each of `SINGLE`, one of its texts, in every combination. */
function keysOf(
  rule: CallerRule,
  texts: (named: string | undefined) => readonly string[],
): readonly string[] {
  return SINGLE.reduce<readonly string[]>(
    (keys, member) => keys.flatMap((key) => texts(rule[member]).map((text) => `${key} ${text}`)),
    [rule.tenant],
  );
}

/** A rule with an app role that the registration does not have, and neither scope nor group, is meant for applications. */
function mayBeUser({ appRole, scope, group }: CallerRule): boolean {
  if (appRole !== undefined && APP_ROLES.has(appRole)) return !isForApplications(appRole);
  return appRole === undefined || scope !== undefined || group !== undefined;
}

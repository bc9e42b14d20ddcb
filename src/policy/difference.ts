/**
 * Who may have which kind of token for which resource under one policy and not under another, for every possible
 * caller. A rule is a conjunction of equalities, so the answer is exact. The callers of a rule include one who has
 * what the rule names and nothing else. Another rule holds for that caller only if it names a part of the same. So
 * the callers of a rule are all covered by other rules exactly when one of those names a part of what it names.
 *
 * How long a token may live, the rate and the name of the grant are not compared here.
 */
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { matches } from './pattern.ts';
import type { CallerRule, Policy } from './schema.ts';

/** Conditions as texts, such as `appRole Token.Exchange`. A caller is meant for whom all of them hold. */
type Region = ReadonlySet<string>;

export interface AccessChange {
  readonly change: 'gained' | 'lost';
  /** By name. */
  readonly resources: readonly string[];
  readonly kind: TokenKind;
  readonly callers: Region;
  /** Of those callers, the ones who have the access under both policies. */
  readonly except: readonly Region[];
}

/** @returns an empty list exactly when no possible caller gains or loses a kind of token for a resource */
export function accessDifference(before: Policy, after: Policy): readonly AccessChange[] {
  const [old, new_] = [accessOf(before), accessOf(after)];
  return [...missing(new_, old, 'gained'), ...missing(old, new_, 'lost')];
}

/** The callers of each rule, by what is equal in them. */
type Regions = ReadonlyMap<string, Region>;
/**
 * Who has a kind of token for a resource, by resource and kind. Resources with the same grants and kinds have the very
 * same object, so that a policy of many resources and few kinds of them is compared once for each kind of them.
 */
type Access = ReadonlyMap<
  string,
  { readonly resource: string; readonly kind: TokenKind; readonly regions: Regions }
>;

function accessOf({ tenants, resources, grants: all }: Policy): Access {
  const tenantIds = new Map(tenants.map(({ name, id }) => [name, id]));
  // What is in shadow gives nothing.
  const grants = all
    .filter(({ shadow }) => shadow !== true)
    .map((grant) => ({
      ...grant,
      regions: grant.callers.map((rule) => {
        const region = regionOf(rule, tenantIds);
        return [[...region].join('\n'), region] as const;
      }),
    }));
  const known = new Map<string, Regions>();
  const access = new Map<string, { resource: string; kind: TokenKind; regions: Regions }>();
  for (const { name, tokenKinds } of resources) {
    const naming = grants.flatMap((grant, index) =>
      grant.resources.some((pattern) => matches(pattern, name)) ? [{ ...grant, index }] : [],
    );
    for (const kind of tokenKinds) {
      const giving = naming.filter((grant) => grant.tokenKinds.includes(kind));
      const same = giving.map(({ index }) => index).join();
      const regions = known.get(same) ?? new Map(giving.flatMap((grant) => grant.regions));
      known.set(same, regions);
      access.set(`${name} ${kind}`, { resource: name, kind, regions });
    }
  }
  return access;
}

/** The tenant is compared by its id, since its name is only the policy's own. */
function regionOf(
  { tenant, shadow: _, ...others }: CallerRule,
  tenantIds: ReadonlyMap<string, string>,
): Region {
  const conditions = Object.entries(others).flatMap(([condition, wanted]) =>
    wanted === undefined ? [] : [`${condition} ${wanted}`],
  );
  return new Set([`tenant ${tenantIds.get(tenant)}`, ...conditions.sort()]);
}

function missing(there: Access, here: Access, change: AccessChange['change']): AccessChange[] {
  const compared = new Map<Regions, Map<Regions, Map<TokenKind, string[]>>>();
  for (const [key, { resource, kind, regions }] of there) {
    const others = compared.get(regions) ?? new Map<Regions, Map<TokenKind, string[]>>();
    const known = here.get(key)?.regions ?? NOBODY;
    const kinds = others.get(known) ?? new Map<TokenKind, string[]>();
    const resources = kinds.get(kind) ?? [];
    resources.push(resource);
    compared.set(regions, others.set(known, kinds.set(kind, resources)));
  }
  return [...compared].flatMap(([regions, others]) =>
    [...others].flatMap(([known, kinds]) => {
      const lacking = notIn(regions, known);
      return [...kinds].flatMap(([kind, resources]) =>
        lacking.map((callers) => ({ change, resources, kind, ...callers })),
      );
    }),
  );
}
const NOBODY: Regions = new Map();

/** The regions of which somebody is in none of the others. */
function notIn(regions: Regions, known: Regions): Pick<AccessChange, 'callers' | 'except'>[] {
  const others = [...known.values()];
  return [...regions].flatMap(([text, callers]) =>
    known.has(text) || others.some((other) => covers(other, callers))
      ? []
      : [{ callers, except: others.filter((other) => mayMeet(other, callers)) }],
  );
}

/** Whether every caller of the other region is in this one. */
const covers = (one: Region, other: Region): boolean => [...one].every((condition) => other.has(condition));

/** Whether one caller may be in both. A caller has one tenant, one client, one object id and at most one blueprint. */
function mayMeet(one: Region, other: Region): boolean {
  return SINGLE.every((condition) => {
    const [a, b] = [one, other].map((region) => [...region].find((text) => text.startsWith(condition)));
    return a === undefined || b === undefined || a === b;
  });
}
const SINGLE = ['tenant ', 'clientId ', 'objectId ', 'blueprint '];

/** One sentence for an operator. Tenants are told by their ids, since a name is only the policy's own. */
export function inSentence({ change, resources, kind, callers, except }: AccessChange): string {
  const who = ACTS_AS[kind] === 'caller' ? 'users' : 'callers';
  const exceptions = except.map((region) => `, except with ${[...region].join(' and ')}`).join('');
  const may = change === 'gained' ? 'may now' : 'may no longer';
  const of =
    resources.length > MAX_NAMED
      ? [...resources.slice(0, MAX_NAMED), `${resources.length - MAX_NAMED} more`]
      : resources;
  return `${who} with ${[...callers].join(' and ')}${exceptions} ${may} have ${kind} tokens for ${of.join(', ')}`;
}
const MAX_NAMED = 10;

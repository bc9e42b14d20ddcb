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
  readonly resource: string;
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

/** By resource and kind, the callers of each rule that gives it; equal ones once. */
type Access = ReadonlyMap<string, Cell>;
interface Cell {
  readonly resource: string;
  readonly kind: TokenKind;
  readonly regions: Map<string, Region>;
}

function accessOf({ tenants, resources, grants }: Policy): Access {
  const tenantIds = new Map(tenants.map(({ name, id }) => [name, id]));
  const regionsOf = grants.map(({ callers }) => callers.map((rule) => regionOf(rule, tenantIds)));
  const access = new Map<string, Cell>();
  for (const { name, tokenKinds } of resources)
    for (const [index, grant] of grants.entries()) {
      if (!grant.resources.some((pattern) => matches(pattern, name))) continue;
      for (const kind of tokenKinds.filter((given) => grant.tokenKinds.includes(given))) {
        const cell = access.get(`${name} ${kind}`) ?? { resource: name, kind, regions: new Map() };
        access.set(`${name} ${kind}`, cell);
        for (const region of regionsOf[index] ?? []) cell.regions.set([...region].join('\n'), region);
      }
    }
  return access;
}

/** The tenant is compared by its id, since its name is only the policy's own. */
function regionOf(rule: CallerRule, tenantIds: ReadonlyMap<string, string>): Region {
  const conditions = Object.entries(rule).flatMap(([condition, wanted]) =>
    wanted === undefined || condition === 'tenant' ? [] : [`${condition} ${wanted}`],
  );
  return new Set([`tenant ${tenantIds.get(rule.tenant)}`, ...conditions.sort()]);
}

function missing(there: Access, here: Access, change: AccessChange['change']): AccessChange[] {
  return [...there].flatMap(([key, { resource, kind, regions }]) => {
    const known = here.get(key)?.regions ?? new Map<string, Region>();
    const others = [...known.values()];
    return [...regions].flatMap(([text, callers]) =>
      known.has(text) || others.some((other) => covers(other, callers))
        ? []
        : [{ change, resource, kind, callers, except: others.filter((other) => mayMeet(other, callers)) }],
    );
  });
}

/** Whether every caller of the other region is in this one. */
const covers = (one: Region, other: Region): boolean => [...one].every((condition) => other.has(condition));

/** Whether one caller may be in both. A caller has one tenant, one client and one object id. */
function mayMeet(one: Region, other: Region): boolean {
  return SINGLE.every((condition) => {
    const [a, b] = [one, other].map((region) => [...region].find((text) => text.startsWith(condition)));
    return a === undefined || b === undefined || a === b;
  });
}
const SINGLE = ['tenant ', 'clientId ', 'objectId '];

/** One sentence for an operator. */
export function inSentence({ change, resource, kind, callers, except }: AccessChange): string {
  const who = ACTS_AS[kind] === 'caller' ? 'users' : 'callers';
  const exceptions = except.map((region) => `, except with ${[...region].join(' and ')}`).join('');
  const may = change === 'gained' ? 'may now' : 'may no longer';
  return `${who} with ${[...callers].join(' and ')}${exceptions} ${may} have ${kind} tokens for ${resource}`;
}

/**
 * Who may have which kind of token for which resource under one policy and not under another, and how long it may live,
 * for every possible caller. A rule is a conjunction of equalities, so the answer is exact. The callers of a rule include
 * one who has what the rule names and nothing else. Another rule holds for that caller only if it names a part of the
 * same. So the callers of a rule are all covered by other rules exactly when one of those names a part of what it names.
 *
 * What changes nothing of this is told by `changes.ts`.
 */
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { durationText } from './duration.ts';
import { byName } from './names.ts';
import type { CallerRule, Policy } from './schema.ts';

/** Conditions as texts, such as `appRole Token.Exchange`. A caller is meant for whom all of them hold. */
type Region = ReadonlySet<string>;
const textOf = (region: Region): string => [...region].join('\n');

export interface AccessChange {
  readonly change: 'gained' | 'lost';
  /** By name. */
  readonly resources: readonly string[];
  readonly kind: TokenKind;
  /** Set: they have the kind under both policies, and only under one of them with so long a life, in milliseconds. */
  readonly lifeMs: number | undefined;
  readonly callers: Region;
  /** Of those callers, the ones who have the access under both policies. */
  readonly except: readonly Region[];
}

/** @returns an empty list exactly when no possible caller gains or loses a kind of token, or a longer life of it */
export function accessDifference(before: Policy, after: Policy): readonly AccessChange[] {
  const [old, new_] = [givenBy(before), givenBy(after)];
  return [...missing(new_, old, 'gained'), ...missing(old, new_, 'lost')];
}

/** The callers of each rule, by what is equal in them. */
type Regions = ReadonlyMap<string, Region>;
const NOBODY: Regions = new Map();

/**
 * Who has a kind of token for a resource. Resources with the same grants, lives and kinds share one of these, so that a
 * policy of many resources and few kinds of them is compared once for each kind of them.
 */
interface Given {
  /** The lives that are promised, the shortest first. */
  readonly livesMs: readonly number[];
  /** Who may have a token that lives so long, or longer. */
  readonly livingFor: (lifeMs: number) => Regions;
}
type Access = ReadonlyMap<
  string,
  { readonly resource: string; readonly kind: TokenKind; readonly given: Given }
>;

function givenBy({ tenants, resources, grants: all }: Policy): Access {
  const tenantIds = new Map(tenants.map(({ name, id }) => [name, id]));
  // What is in shadow gives nothing.
  const grants = all
    .filter(({ shadow }) => shadow !== true)
    .map((grant) => ({
      ...grant,
      regions: grant.callers.map((rule) => {
        const region = regionOf(rule, tenantIds);
        return [textOf(region), region] as const;
      }),
    }));
  const matching = byName(resources.map((resource) => [resource.name, resource]));
  const namedBy = new Map(resources.map((resource) => [resource, [] as number[]]));
  for (const [index, { resources: patterns }] of grants.entries())
    for (const resource of new Set(patterns.flatMap(matching))) namedBy.get(resource)?.push(index);
  const known = new Map<string, Given>();
  const access = new Map<string, { resource: string; kind: TokenKind; given: Given }>();
  for (const resource of resources) {
    const { name, tokenKinds, maxLifetime = Number.POSITIVE_INFINITY } = resource;
    const naming = (namedBy.get(resource) ?? []).flatMap((index) => {
      const grant = grants[index];
      return grant === undefined
        ? []
        : [{ ...grant, index, lifeMs: Math.min(grant.maxLifetime, maxLifetime) }];
    });
    for (const kind of tokenKinds) {
      const giving = naming.filter((grant) => grant.tokenKinds.includes(kind));
      const same = giving.map(({ index, lifeMs }) => `${index} ${lifeMs}`).join();
      const given = known.get(same) ?? givenOf(giving);
      known.set(same, given);
      access.set(`${name} ${kind}`, { resource: name, kind, given });
    }
  }
  return access;
}

function givenOf(
  giving: readonly { readonly lifeMs: number; readonly regions: readonly (readonly [string, Region])[] }[],
): Given {
  const byLife = new Map<number, Regions>();
  return {
    livesMs: [...new Set(giving.map(({ lifeMs }) => lifeMs))].sort((one, other) => one - other),
    livingFor: (wantedMs) => {
      const found =
        byLife.get(wantedMs) ??
        new Map(giving.flatMap(({ lifeMs, regions }) => (lifeMs >= wantedMs ? regions : [])));
      byLife.set(wantedMs, found);
      return found;
    },
  };
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
  const compared = new Map<Given | undefined, Map<Given, Map<TokenKind, string[]>>>();
  for (const [key, { resource, kind, given }] of there) {
    const known = here.get(key)?.given;
    const others = compared.get(known) ?? new Map<Given, Map<TokenKind, string[]>>();
    const kinds = others.get(given) ?? new Map<TokenKind, string[]>();
    const resources = kinds.get(kind) ?? [];
    resources.push(resource);
    compared.set(known, others.set(given, kinds.set(kind, resources)));
  }
  return [...compared].flatMap(([known, others]) =>
    [...others].flatMap(([given, kinds]) => {
      const lacking = lackingIn(given, known);
      return [...kinds].flatMap(([kind, resources]) =>
        lacking.map(({ lifeMs, who }) => ({
          change,
          resources,
          kind,
          lifeMs,
          callers: who.callers,
          get except() {
            return who.except;
          },
        })),
      );
    }),
  );
}

/** Who is given something that is not given there, with any life and then with each longer one. */
function lackingIn(
  given: Given,
  there: Given | undefined,
): { readonly lifeMs: number | undefined; readonly who: Lacking }[] {
  const atAll = notIn(given.livingFor(0), there?.livingFor(0) ?? NOBODY).map((who) => ({
    lifeMs: undefined,
    who,
  }));
  if (there === undefined) return atAll;
  // Of these nobody is given anything there, so that they would be told again with each life.
  const alone = atAll.filter(({ who }) => who.isAlone).map(({ who }) => textOf(who.callers));
  const longer = given.livesMs.flatMap((lifeMs) => {
    // So long lives everything that is given there.
    if (lifeMs <= (there.livesMs[0] ?? 0)) return [];
    const regions = given.livingFor(lifeMs);
    const left =
      alone.length === 0 ? regions : new Map([...regions].filter(([text]) => !alone.includes(text)));
    return notIn(left, there.livingFor(lifeMs)).map((who) => ({ lifeMs, who }));
  });
  return [...atAll, ...longer];
}

/** The regions of which somebody is in none of the others. */
function notIn(regions: Regions, known: Regions): Lacking[] {
  const others = [...known.values()];
  return [...regions].flatMap(([text, callers]) =>
    known.has(text) || others.some((other) => covers(other, callers)) ? [] : [new Lacking(callers, others)],
  );
}

/** The callers of a rule, of whom somebody is in none of the others. */
class Lacking {
  readonly callers: Region;
  private readonly others: readonly Region[];
  private met: readonly Region[] | undefined;

  constructor(callers: Region, others: readonly Region[]) {
    this.callers = callers;
    this.others = others;
  }
  get isAlone(): boolean {
    return !this.others.some((other) => mayMeet(other, this.callers));
  }
  /** Found when it is asked for: a large policy has many changes, and people read the first ones. */
  get except(): readonly Region[] {
    this.met ??= this.others.filter((other) => mayMeet(other, this.callers));
    return this.met;
  }
}

/** Whether every caller of the other region is in this one. */
const covers = (one: Region, other: Region): boolean => [...one].every((condition) => other.has(condition));

/** Whether one caller may be in both. A caller has one tenant, one client, one object id and at most one blueprint. */
function mayMeet(one: Region, other: Region): boolean {
  for (const condition of one)
    if (SINGLE.some((start) => condition.startsWith(start)) && isOtherwise(other, condition)) return false;
  return true;
}
const SINGLE = ['tenant ', 'clientId ', 'objectId ', 'blueprint '];

function isOtherwise(region: Region, condition: string): boolean {
  if (region.has(condition)) return false;
  const start = condition.slice(0, condition.indexOf(' ') + 1);
  for (const each of region) if (each.startsWith(start)) return true;
  return false;
}

/** One sentence for an operator. Tenants are told by their ids, since a name is only the policy's own. */
export function inSentence({ change, resources, kind, lifeMs, callers, except }: AccessChange): string {
  const who = ACTS_AS[kind] === 'caller' ? 'users' : 'callers';
  const named = except.slice(0, MAX_NAMED).map((region) => `, except with ${[...region].join(' and ')}`);
  const others = except.length > MAX_NAMED ? `, and ${except.length - MAX_NAMED} more exceptions` : '';
  const may = change === 'gained' ? 'may now' : 'may no longer';
  const of =
    resources.length > MAX_NAMED
      ? [...resources.slice(0, MAX_NAMED), `${resources.length - MAX_NAMED} more`]
      : resources;
  const life = lifeMs === undefined ? '' : ` that live for ${durationText(lifeMs)}`;
  return `${who} with ${[...callers].join(' and ')}${named.join('')}${others} ${may} have ${kind} tokens${life} for ${of.join(', ')}`;
}
const MAX_NAMED = 10;

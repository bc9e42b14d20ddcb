/** Whether a grant's callers, resources, kinds and promise fit the rest of the policy. */
import { ACTS_AS } from '../token-kind.ts';
import type { Draft } from './draft.ts';
import { tooShort } from './lifetimes.ts';
import { byName } from './names.ts';
import { didYouMean } from './nearest.ts';
import { isForApplications } from './registration.ts';
import type { CallerRule, Grant, Policy, Resource } from './schema.ts';
import { type Tenants, unknownTenant } from './unknown-tenant.ts';

/** What all grants of a policy are held against, made once. */
export interface Resources {
  readonly names: readonly string[];
  /** A resource whose own name cannot be read may be the one that a pattern means. */
  readonly isComplete: boolean;
  readonly matching: (pattern: string) => readonly Draft<Resource>[];
}
export function resourcesOf({ resources }: Draft<Policy>): Resources {
  const named = (resources ?? []).flatMap((one) =>
    one?.name === undefined ? [] : [[one.name, one] as const],
  );
  return {
    names: named.map(([name]) => name),
    isComplete: resources !== undefined && named.length === resources.length,
    matching: byName(named),
  };
}

/** @param place of the grant, such as `grants[2] (captions)` */
export function grantProblems(
  place: string,
  grant: Draft<Grant>,
  tenants: Tenants,
  resources: Resources,
): string[] {
  return [
    ...(grant.callers ?? []).flatMap((caller, index) =>
      caller === undefined ? [] : callerProblems(`${place}.callers[${index}]`, caller, tenants),
    ),
    ...userKindProblems(place, grant),
    ...resourceProblems(place, grant, resources),
  ];
}

function callerProblems(path: string, caller: Draft<CallerRule>, tenants: Tenants): string[] {
  const problems = unknownTenant(`${path}.tenant`, caller.tenant, tenants);
  // What is only tried narrows nothing.
  if (Object.keys(caller).every((member) => member === 'tenant' || member === 'shadow'))
    problems.push(
      `${path}: this would be every caller of the tenant; add clientId, objectId, blueprint, appRole, scope or group`,
    );
  return problems;
}

/** An `obo` token is only for a user. A grant may name applications beside people, if it has another kind for them. */
function userKindProblems(place: string, { callers = [], tokenKinds = [] }: Draft<Grant>): string[] {
  const kind = tokenKinds.find((one) => one !== undefined && ACTS_AS[one] === 'caller');
  if (kind === undefined) return [];
  const others = tokenKinds.some((one) => one === undefined || ACTS_AS[one] !== 'caller');
  const applications = callers.flatMap((caller, index) =>
    caller !== undefined && isForApplications(caller.appRole) ? [{ index, role: caller.appRole }] : [],
  );
  if (others && applications.length < callers.length) return [];
  return applications.map(
    ({ index, role }) =>
      `${place}.callers[${index}]: only applications have the app role ${role}, and ${kind} tokens are for people: name people by scope or group, or take ${kind} from tokenKinds`,
  );
}

/** Among more names the nearest one is not looked for, since each look compares with all of them. */
const MAX_NAMES_PROPOSED = 200;

function resourceProblems(
  place: string,
  grant: Draft<Grant>,
  { names, isComplete, matching }: Resources,
): string[] {
  const problems: string[] = [];
  const matched = new Set<Draft<Resource>>();
  for (const [index, pattern] of (grant.resources ?? []).entries()) {
    if (pattern === undefined) continue;
    const hits = matching(pattern);
    for (const hit of hits) matched.add(hit);
    if (hits.length > 0 || !isComplete) continue;
    const what = pattern.endsWith('*') ? `begins with "${pattern.slice(0, -1)}"` : `is named "${pattern}"`;
    const proposal =
      names.length > MAX_NAMES_PROPOSED ? '' : didYouMean(pattern, names, `; there are ${names.join(', ')}`);
    problems.push(`${place}.resources[${index}]: no resource of this policy ${what}${proposal}`);
  }
  for (const kind of grant.tokenKinds ?? []) {
    if (kind === undefined) continue;
    const giving = [...matched].filter(({ tokenKinds }) => tokenKinds?.includes(kind));
    const readable = [...matched].every(({ tokenKinds }) => tokenKinds && !tokenKinds.includes(undefined));
    if (matched.size > 0 && giving.length === 0 && readable)
      problems.push(
        `${place}.tokenKinds: none of its resources gives ${kind} tokens: ${[...matched].map(given).join(', ')}`,
      );
    for (const resource of giving)
      if (grant.maxLifetime !== undefined)
        problems.push(...tooShort(`${place}.maxLifetime`, grant.maxLifetime, resource, kind));
  }
  return problems;
}

const given = ({ name, tokenKinds = [] }: Draft<Resource>): string =>
  `${name} gives ${tokenKinds.join(' and ')}`;

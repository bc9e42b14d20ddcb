/** Whether a grant's callers, resources, kinds and promise fit the rest of the policy. */
import { ACTS_AS } from '../token-kind.ts';
import type { Draft } from './draft.ts';
import { tooShort } from './lifetimes.ts';
import { didYouMean } from './nearest.ts';
import { matches } from './pattern.ts';
import { isForApplications } from './registration.ts';
import type { CallerRule, Grant, Policy, Resource } from './schema.ts';
import { unknownTenant } from './unknown-tenant.ts';

/** @param place of the grant, such as `grants[2] (captions)` */
export function grantProblems(place: string, grant: Draft<Grant>, policy: Draft<Policy>): string[] {
  return [
    ...(grant.callers ?? []).flatMap((caller, index) =>
      caller === undefined ? [] : callerProblems(`${place}.callers[${index}]`, caller, policy),
    ),
    ...userKindProblems(place, grant),
    ...resourceProblems(place, grant, policy),
  ];
}

function callerProblems(path: string, caller: Draft<CallerRule>, policy: Draft<Policy>): string[] {
  const problems = unknownTenant(`${path}.tenant`, caller.tenant, policy);
  // What is only tried narrows nothing.
  if (Object.keys(caller).every((member) => member === 'tenant' || member === 'shadow'))
    problems.push(
      `${path}: this would be every caller of the tenant; add clientId, objectId, appRole, scope or group`,
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

function resourceProblems(place: string, grant: Draft<Grant>, { resources }: Draft<Policy>): string[] {
  const problems: string[] = [];
  const known = (resources ?? [undefined]).map((resource) => resource?.name);
  const names = known.filter((name) => name !== undefined);
  const matched = new Set<Draft<Resource>>();
  for (const [index, pattern] of (grant.resources ?? []).entries()) {
    if (pattern === undefined) continue;
    const hits = (resources ?? []).filter((one) => one?.name !== undefined && matches(pattern, one.name));
    for (const hit of hits) if (hit) matched.add(hit);
    // A resource whose own name cannot be read may be the one.
    if (hits.length > 0 || known.includes(undefined)) continue;
    const what = pattern.endsWith('*') ? `begins with "${pattern.slice(0, -1)}"` : `is named "${pattern}"`;
    problems.push(
      `${place}.resources[${index}]: no resource of this policy ${what}${didYouMean(pattern, names, `; there are ${names.join(', ')}`)}`,
    );
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

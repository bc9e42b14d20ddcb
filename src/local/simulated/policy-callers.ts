/** Callers for a policy of one's own: for each rule of each grant one who fits it. Pure. */
import { createHash } from 'node:crypto';
import type { CallerRule, Policy } from '../../policy/schema.ts';
import { ACTS_AS } from '../../token-kind.ts';
import { applicationCaller, type DemoCaller, publicClientId } from './demo-directory.ts';
import type { Application, UserSpec } from './directory.ts';

export interface PolicyCallers {
  readonly applications: readonly Application[];
  readonly users: readonly UserSpec[];
  /** In the order of the rules. */
  readonly callers: readonly DemoCaller[];
}

/**
 * The broker takes no token without an app role or a scope. Where a rule names none, the caller has this one, which
 * fits no other rule of the policy.
 */
const UNNAMED = 'Simulated.Caller';

/** A rule, the name of who fits it, and the tenant that the caller is of. */
interface Part {
  readonly name: string;
  readonly rule: CallerRule;
  readonly tenantId: string;
  /** A rule with a scope or a group is about people, and an on-behalf-of token is for people only. */
  readonly isPerson: boolean;
}

/**
 * Rules that name the same application, or the same person, get one principal with what all of them ask for: in
 * Entra it is one principal too. What a rule does not name is made up from the caller's name, so it is the same at
 * every start.
 * @param taken names that are given to others
 */
export function callersOf(policy: Policy, taken: readonly string[]): PolicyCallers {
  const parts = partsOf(policy, taken);
  const applications = new Map<string, Application & { readonly secret?: string }>();
  const users = new Map<string, UserSpec>();
  const register = (tenantId: string, clientId: string, more: Partial<Application>): void => {
    const key = `${tenantId} ${clientId}`;
    const known = applications.get(key);
    applications.set(key, {
      name: 'terminal',
      objectId: madeUpId(`service principal ${key}`),
      ...known,
      ...more,
      tenantId,
      clientId,
      appRoles: union(known?.appRoles, more.appRoles),
    });
  };
  /** An agent has no secret, and its blueprint has one. */
  const agentOf = (tenantId: string, blueprintId: string): Partial<Application> => {
    const known = applications.get(`${tenantId} ${blueprintId}`);
    const name = known?.name ?? `blueprint-${blueprintId.slice(0, 8)}`;
    register(tenantId, blueprintId, { name, secret: known?.secret ?? `local-${name}` });
    return { blueprintId };
  };
  for (const part of parts) {
    const { name, rule, tenantId } = part;
    const { objectId, appRole } = rule;
    if (!part.isPerson) {
      const secret = applications.get(`${tenantId} ${clientIdOf(part)}`)?.secret ?? `local-${name}`;
      register(tenantId, clientIdOf(part), {
        name,
        ...(rule.blueprint === undefined ? { secret } : agentOf(tenantId, rule.blueprint)),
        appRoles: [appRole ?? UNNAMED],
        ...(objectId === undefined ? {} : { objectId }),
      });
      continue;
    }
    register(tenantId, clientIdOf(part), {
      allowsPublicFlows: true,
      ...(rule.blueprint === undefined ? {} : agentOf(tenantId, rule.blueprint)),
    });
    const id = userIdOf(part);
    const known = users.get(id);
    users.set(id, {
      name,
      displayName: name,
      username: `${name}@example.test`,
      password: `local-${name}`,
      needsSecondFactor: false,
      ...known,
      tenantId,
      objectId: id,
      groups: union(known?.groups, given(rule.group)),
      appRoles: union(known?.appRoles, given(appRole)),
      scopes: union(known?.scopes, [rule.scope ?? UNNAMED]),
    });
  }
  const callers = parts.flatMap((part): DemoCaller[] => {
    const { name, tenantId } = part;
    const app = applications.get(`${tenantId} ${clientIdOf(part)}`);
    if (app === undefined) return [];
    const blueprint = applications.get(`${tenantId} ${app.blueprintId}`);
    if (!part.isPerson && blueprint?.secret !== undefined)
      return [agentCaller(name, app, { ...blueprint, secret: blueprint.secret })];
    if (!part.isPerson)
      return app.secret === undefined
        ? []
        : [applicationCaller({ kind: 'application', app: { ...app, name, secret: app.secret } })];
    const user = users.get(userIdOf(part));
    return user === undefined ? [] : [personCaller(name, user, app)];
  });
  return { applications: [...applications.values()], users: [...users.values()], callers };
}

function agentCaller(
  name: string,
  { tenantId, clientId, objectId, appRoles }: Application,
  blueprint: Application & { readonly secret: string },
): DemoCaller {
  return {
    name,
    kind: 'agent',
    tenantId,
    clientId,
    clientSecret: blueprint.secret,
    blueprintId: blueprint.clientId,
    objectId,
    rights: { appRoles, scopes: [], groups: [] },
  };
}

function personCaller(name: string, user: UserSpec, { clientId, blueprintId }: Application): DemoCaller {
  const { tenantId, objectId, username, password, groups, appRoles = [], scopes = [] } = user;
  const rights = { appRoles, groups, scopes };
  const agent = blueprintId === undefined ? {} : { blueprintId };
  return { name, kind: 'user', tenantId, clientId, username, password, objectId, rights, ...agent };
}

function partsOf({ grants, tenants }: Policy, taken: readonly string[]): readonly Part[] {
  const names = new Set(taken);
  const fresh = (wanted: string): string => {
    let name = wanted;
    for (let number = 2; names.has(name); number += 1) name = `${wanted}-${number}`;
    names.add(name);
    return name;
  };
  // A grant named `team-2` has its name before the second rule of the grant `team`.
  const firsts = new Map(grants.map(({ name }) => [name, fresh(name)]));
  return grants.flatMap((grant) =>
    grant.callers.map((rule, index) => ({
      name: index === 0 ? (firsts.get(grant.name) ?? grant.name) : fresh(grant.name),
      rule,
      tenantId: tenants.find(({ name }) => name === rule.tenant)?.id ?? '',
      isPerson:
        rule.scope !== undefined ||
        rule.group !== undefined ||
        grant.tokenKinds.every((kind) => ACTS_AS[kind] === 'caller'),
    })),
  );
}

/** People whose rule names no client sign in with the terminal, which every tenant has. */
function clientIdOf({ name, rule, isPerson }: Part): string {
  if (rule.clientId !== undefined) return rule.clientId;
  return isPerson && rule.blueprint === undefined
    ? publicClientId
    : madeUpId(`client ${rule.objectId ?? name}`);
}

const userIdOf = ({ name, rule }: Part): string => rule.objectId ?? madeUpId(`user ${name}`);

const given = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);
const union = (one: readonly string[] = [], other: readonly string[] = []): readonly string[] => [
  ...new Set([...one, ...other]),
];

/** A GUID that is always the same for the same text. */
export function madeUpId(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

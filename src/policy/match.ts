import type { Caller } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { cleanTarget } from './asked-for.ts';
import { byPattern } from './names.ts';
import { isPerson } from './person.ts';
import { ruleIndex } from './rule-index.ts';
import type { CallerRule, Grant, Policy, Resource } from './schema.ts';

/** A resource as the target of an exchange. The endpoint belongs to it: an STS token works only at its own host. */
export interface Target {
  readonly resource: Resource;
  readonly endpoint: string;
}

/** A grant under which the caller may have a token for the target, and the token's kind. */
export interface Option {
  readonly grant: Grant;
  readonly kind: TokenKind;
}

/** The policy, indexed for the exchange. */
export interface CompiledPolicy {
  /** By name, or by the URL of an endpoint. */
  target(nameOrUrl: string): Target | undefined;
  /** The name that the audit has for what was asked for: a resource's own, or a caller's text without secrets. */
  recordedAs(nameOrUrl: string): string;
  /** The name of a tenant that may call; undefined for any other. */
  tenantName(tenantId: string): string | undefined;
  /**
   * Every option that applies, in the order of the policy. Each grant gives the kind that was asked for, or else the
   * first kind that this caller can have: an on-behalf-of token is only for a person.
   */
  options(caller: Caller, resource: Resource, kind: TokenKind | undefined): readonly Option[];
  /** The same policy with what is in shadow put in force; undefined where nothing is in shadow. */
  readonly enforced: CompiledPolicy | undefined;
  /** Every value that a rule names, also in shadow. */
  readonly names: Readonly<Record<'appRole' | 'scope' | 'group', ReadonlySet<string>>>;
  /** How `options` came about: each grant that names the resource, with every condition of its rules. */
  trace(caller: Caller, resource: Resource, kind: TokenKind | undefined): readonly Traced[];
}

/** A grant that names the resource, and whether one of its rules holds for the caller. */
export interface Traced {
  readonly grant: Grant;
  readonly applies: boolean;
  /** What the grant gives of the wish, whoever asks; undefined where it does not give the kind. */
  readonly kind: TokenKind | undefined;
  /** One list for each rule of `callers`, in its order. */
  readonly rules: readonly (readonly Checked[])[];
}
type ConditionName = Exclude<keyof CallerRule, 'shadow'>;
export interface Checked {
  readonly condition: ConditionName;
  readonly wanted: string;
  readonly had: string | readonly string[];
  readonly met: boolean;
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const targets = new Map<string, Target>();
  const rules: Rules[] = policy.grants
    .filter(({ shadow }) => shadow !== true)
    .map((grant, place) => ({ grant, place, conditions: grant.callers.map(compileRule) }));
  // All accounts of a region have this host in Azure. If several are in the policy, it does not name one of them.
  const regions = Map.groupBy(policy.resources, ({ regionalEndpoint }) =>
    regionalEndpoint === undefined ? undefined : canonicalUrl(regionalEndpoint),
  );
  for (const resource of policy.resources) {
    const endpoint = canonicalUrl(resource.endpoint);
    targets.set(resource.name, { resource, endpoint });
    targets.set(endpoint, { resource, endpoint });
    if (resource.regionalEndpoint) {
      const regional = canonicalUrl(resource.regionalEndpoint);
      if (regions.get(regional)?.length === 1) targets.set(regional, { resource, endpoint: regional });
    }
  }
  const naming = byPattern(rules.map((one) => [one.grant.resources, one]));
  const groups = new Map<string, readonly ReadonlySet<Rules>[]>();
  const grantsOf = ({ name }: Resource): readonly ReadonlySet<Rules>[] => {
    const known = groups.get(name);
    if (known !== undefined) return known;
    // Only a name of the policy is kept, so that there are no more than it has resources.
    if (!targets.has(name)) return [];
    const found = naming(name);
    groups.set(name, found);
    return found;
  };
  const holding = ruleIndex<ConditionName, Rule, Rules>(rules);
  const tenantNames = new Map(policy.tenants.map(({ id, name }) => [id, name]));
  const named = (condition: 'appRole' | 'scope' | 'group'): ReadonlySet<string> =>
    new Set(
      policy.grants.flatMap(({ callers }) =>
        callers.flatMap(({ shadow, ...rule }) => [rule[condition] ?? [], shadow?.[condition] ?? []].flat()),
      ),
    );
  const target = (nameOrUrl: string): Target | undefined =>
    targets.get(nameOrUrl) ?? targets.get(canonicalUrl(nameOrUrl));
  const hasShadow = policy.grants.some(
    ({ shadow, callers }) => shadow === true || callers.some((rule) => rule.shadow !== undefined),
  );
  return {
    target,
    enforced: hasShadow ? compilePolicy(withoutShadow(policy)) : undefined,
    recordedAs: (nameOrUrl) => target(nameOrUrl)?.resource.name ?? cleanTarget(nameOrUrl),
    names: { appRole: named('appRole'), scope: named('scope'), group: named('group') },
    tenantName: (tenantId) => tenantNames.get(tenantId),
    options: (caller, resource, kind) => {
      const tenant = tenantNames.get(caller.tenantId);
      if (tenant === undefined) return [];
      const applying = holding(
        grantsOf(resource),
        (condition) => HAD[condition](caller, tenant),
        (rule) => isMet(rule, caller, tenant),
      );
      return inOrder(applying).flatMap(({ grant }) => {
        const chosen = kindUnder(grant, resource, caller, kind);
        return chosen === undefined ? [] : [{ grant, kind: chosen }];
      });
    },
    trace: (caller, resource, kind) => {
      const tenant = tenantNames.get(caller.tenantId) ?? '';
      // Each condition is looked at here, with no index: so that what is told is no echo of what it explains.
      const traced = new Set(grantsOf(resource).flatMap((group) => [...group]));
      return inOrder(traced).map(({ grant, conditions }) => ({
        grant,
        applies: conditions.some((rule) => isMet(rule, caller, tenant)),
        kind: kindUnder(grant, resource, caller, kind),
        rules: conditions.map((rule) =>
          rule.map(({ condition, wanted, holds }) => ({
            condition,
            wanted,
            had: HAD[condition](caller, tenant),
            met: holds(wanted, caller, tenant),
          })),
        ),
      }));
    },
  };
}

/** A grant with the conditions of each of its caller rules. */
interface Rules {
  readonly grant: Grant;
  /** In the order of the policy. */
  readonly place: number;
  readonly conditions: readonly Rule[];
}
const inOrder = (some: Iterable<Rules>): readonly Rules[] =>
  [...some].sort((one, other) => one.place - other.place);
type Rule = readonly Condition[];
interface Condition {
  readonly condition: ConditionName;
  readonly wanted: string;
  readonly holds: (wanted: string, caller: Caller, tenantName: string) => boolean;
}

/**
 * How each condition of a caller rule is checked. The type has every key of the rule, so a condition that is added
 * to the schema and forgotten here does not compile. A condition without a check would grant to everybody.
 */
const CONDITIONS: {
  readonly [Name in ConditionName]-?: (
    wanted: NonNullable<CallerRule[Name]>,
    caller: Caller,
    tenantName: string,
  ) => boolean;
} = {
  tenant: (name, _, tenantName) => name === tenantName,
  clientId: (id, caller) => id === caller.clientId,
  objectId: (id, caller) => id === caller.objectId,
  blueprint: (id, caller) => id === caller.agent?.blueprintId,
  appRole: (role, caller) => caller.appRoles.includes(role),
  scope: (scope, caller) => caller.scopes.includes(scope),
  group: (id, caller) => caller.groups.includes(id),
};

/** What the caller has in the place of each condition: by this `options` finds a rule, and `trace` tells it. */
const HAD: Readonly<
  Record<ConditionName, (caller: Caller, tenantName: string) => string | readonly string[]>
> = {
  tenant: ({ tenantId }, tenantName) => tenantName || tenantId,
  clientId: ({ clientId }) => clientId,
  objectId: ({ objectId }) => objectId,
  blueprint: ({ agent }) => agent?.blueprintId ?? [],
  appRole: ({ appRoles }) => appRoles,
  scope: ({ scopes }) => scopes,
  group: ({ groups }) => groups,
};

/** The kind that the grant gives: the one that was asked for, or else the first that this caller can have. */
function kindUnder(
  grant: Grant,
  resource: Resource,
  caller: Caller,
  kind: TokenKind | undefined,
): TokenKind | undefined {
  const kinds = grant.tokenKinds.filter((given) => resource.tokenKinds.includes(given));
  if (kind !== undefined) return kinds.find((given) => given === kind);
  return kinds.find((given) => ACTS_AS[given] !== 'caller' || isPerson(caller)) ?? kinds[0];
}

function compileRule(rule: CallerRule): Rule {
  return (Object.keys(CONDITIONS) as ConditionName[]).flatMap((condition) => {
    const wanted = rule[condition];
    return wanted === undefined ? [] : [{ condition, holds: CONDITIONS[condition], wanted }];
  });
}

/** A rule applies when all its conditions hold. */
function isMet(rule: Rule, caller: Caller, tenantName: string): boolean {
  return rule.every(({ holds, wanted }) => holds(wanted, caller, tenantName));
}

/** The policy with what is in shadow put in force. */
function withoutShadow(policy: Policy): Policy {
  const grants = policy.grants.map(({ shadow: _, callers, ...grant }) => ({
    ...grant,
    callers: callers.map(({ shadow, ...rule }) => ({ ...rule, ...shadow })),
  }));
  return { ...policy, grants };
}

/** The host in lower case, without default port and without a slash at the end. Other texts stay as they are. */
function canonicalUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/$/, '') : text;
}

import type { Caller } from '../ports.ts';
import { matches } from './load.ts';
import type { CallerRule, Grant, Policy, Resource, TokenKind } from './schema.ts';

/** A resource as a target of an exchange: STS tokens are good only at the host that issues them. */
export interface Target {
  readonly resource: Resource;
  readonly endpoint: string;
}

/** One way the policy lets a caller have a token for a target. */
export interface Option {
  readonly grant: Grant;
  readonly kind: TokenKind;
}

/** The policy, indexed for the exchange. */
export interface CompiledPolicy {
  /** By name, or by the URL of an endpoint. */
  target(nameOrUrl: string): Target | undefined;
  /** The name of a tenant that may call; undefined for any other. */
  tenantName(tenantId: string): string | undefined;
  /**
   * Every option that applies, in the policy's order: under each grant the kind that was asked for, or its
   * first, where on behalf of counts only for a user.
   */
  options(caller: Caller, resource: Resource, kind: TokenKind | undefined): readonly Option[];
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const targets = new Map<string, Target>();
  const grantsOf = new Map<string, readonly Grant[]>();
  for (const resource of policy.resources) {
    const endpoint = canonicalUrl(resource.endpoint);
    targets.set(resource.name, { resource, endpoint });
    targets.set(endpoint, { resource, endpoint });
    if (resource.regionalEndpoint) {
      const regional = canonicalUrl(resource.regionalEndpoint);
      // In Azure all accounts of a region share this host: then only the account's own name or endpoint is clear.
      const shared = policy.resources.some(
        (other) =>
          other !== resource && other.regionalEndpoint && canonicalUrl(other.regionalEndpoint) === regional,
      );
      if (!shared) targets.set(regional, { resource, endpoint: regional });
    }
    grantsOf.set(
      resource.name,
      policy.grants.filter(({ resources }) => resources.some((pattern) => matches(pattern, resource.name))),
    );
  }
  const tenantNames = new Map(policy.tenants.map(({ id, name }) => [id, name]));
  return {
    target: (nameOrUrl) => targets.get(nameOrUrl) ?? targets.get(canonicalUrl(nameOrUrl)),
    tenantName: (tenantId) => tenantNames.get(tenantId),
    options: (caller, resource, kind) => {
      const tenant = tenantNames.get(caller.tenantId);
      if (tenant === undefined) return [];
      return (grantsOf.get(resource.name) ?? [])
        .filter(({ callers }) => callers.some((rule) => applies(rule, caller, tenant)))
        .flatMap((grant) => {
          const kinds = grant.tokenKinds.filter((given) => resource.tokenKinds.includes(given));
          const first = kinds.find((given) => given !== 'obo' || caller.kind === 'user') ?? kinds[0];
          const chosen = kind === undefined ? first : kinds.find((given) => given === kind);
          return chosen === undefined ? [] : [{ grant, kind: chosen }];
        });
    },
  };
}

/** Everything the rule names must hold. */
function applies(rule: CallerRule, caller: Caller, tenantName: string): boolean {
  return (
    rule.tenant === tenantName &&
    (rule.clientId === undefined || rule.clientId === caller.clientId) &&
    (rule.objectId === undefined || rule.objectId === caller.objectId) &&
    (rule.appRole === undefined || caller.appRoles.includes(rule.appRole)) &&
    (rule.scope === undefined || caller.scopes.includes(rule.scope)) &&
    (rule.group === undefined || caller.groups.includes(rule.group))
  );
}

/** One spelling: the host in lower case, no default port, no slash at the end. What is no URL stays as it is. */
function canonicalUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/$/, '') : text;
}

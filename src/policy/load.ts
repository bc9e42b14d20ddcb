import { MANAGED_IDENTITY_LIFE_MS, MAX_TOKEN_LIFE_MS } from '../facts/entra.ts';
import { STS_LIFE_MS } from '../facts/sts.ts';
import { hasRepeatedMember } from '../strict-json.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { type Policy, policySchema, type Resource } from './schema.ts';

/** The policy is not valid, so the app does not start. The message lists every problem with its path, one a line. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the policy has ${problems.length} problem(s):\n${problems.join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Parses the policy, then checks the rules that a schema cannot express.
 * @param text the policy file, JSON
 * @throws PolicyError with every problem
 */
export function loadPolicy(text: string): Policy {
  const problems: string[] = [];
  const policy = parse(text, problems);
  problems.push(
    ...duplicates(policy),
    ...policy.resources.flatMap(resourceProblems),
    ...grantProblems(policy),
  );
  for (const [index, { tenants, name }] of policy.transmitters.entries())
    for (const tenant of tenants)
      if (!policy.tenants.some((known) => known.name === tenant))
        problems.push(`transmitters[${index}].tenants: ${name} names no tenant of this policy: ${tenant}`);
  if (problems.length > 0) throw new PolicyError(problems);
  return policy;
}

/** Unknown keys are reported and removed, and the rest is parsed again, so that all problems are reported together. */
function parse(text: string, problems: string[]): Policy {
  const json = parseJson(text);
  const first = policySchema.safeParse(json);
  if (first.success) return first.data;
  problems.push(...first.error.issues.map(({ path, message }) => `${pathText(path)}: ${message}`));
  for (const issue of first.error.issues)
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) removeAt(json, issue.path, key);
  const second = policySchema.safeParse(json);
  if (second.success) return second.data;
  throw new PolicyError(problems);
}

function parseJson(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PolicyError([`not JSON: ${(error as SyntaxError).message}`]);
  }
  // JSON.parse keeps only the last of two `grants` and does not report it.
  if (hasRepeatedMember(text)) throw new PolicyError(['policy: an object has a member twice']);
  return json;
}

function removeAt(json: unknown, path: readonly PropertyKey[], key: string): void {
  let place = json as Record<PropertyKey, unknown>;
  for (const part of path) place = place[part] as Record<PropertyKey, unknown>;
  delete place[key];
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '') || 'policy';
}

function duplicates(policy: Policy): string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  const check = (what: string, value: string, path: string): void => {
    const first = seen.get(`${what} ${value}`);
    if (first === undefined) seen.set(`${what} ${value}`, path);
    else problems.push(`${path}: ${value} is already at ${first}`);
  };
  for (const [index, tenant] of policy.tenants.entries()) {
    check('tenant', tenant.name, `tenants[${index}].name`);
    check('tenant id', tenant.id, `tenants[${index}].id`);
  }
  for (const [index, resource] of policy.resources.entries()) {
    check('resource', resource.name, `resources[${index}].name`);
    check('account', resource.accountId.toLowerCase(), `resources[${index}].accountId`);
    check('endpoint', origin(resource.endpoint), `resources[${index}].endpoint`);
    if (resource.secret) check('secret', resource.secret.toLowerCase(), `resources[${index}].secret`);
  }
  // Several accounts may have the same regional host, but it must not be another account's own host.
  for (const [index, { regionalEndpoint }] of policy.resources.entries()) {
    const own = policy.resources.findIndex(
      (other, at) => at !== index && regionalEndpoint && origin(other.endpoint) === origin(regionalEndpoint),
    );
    if (own >= 0)
      problems.push(`resources[${index}].regionalEndpoint: is already at resources[${own}].endpoint`);
  }
  for (const [index, grant] of policy.grants.entries()) check('grant', grant.name, `grants[${index}].name`);
  for (const [index, sender] of policy.transmitters.entries())
    check('transmitter', sender.issuer, `transmitters[${index}].issuer`);
  return problems;
}

const origin = (url: string): string => new URL(url).origin;

function resourceProblems(resource: Resource, index: number): string[] {
  const problems: string[] = [];
  const at = (field: string): string => `resources[${index}].${field}`;
  const managed = resource.identity.kind !== 'application';
  const { maxLifetime, tokenKinds } = resource;
  if (
    managed &&
    tokenKinds.some((kind) => ACTS_AS[kind] === 'identity') &&
    (maxLifetime ?? 0) < MANAGED_IDENTITY_LIFE_MS
  )
    problems.push(
      `${at('maxLifetime')}: a managed identity's tokens live up to 24h; say "24h" to accept that`,
    );
  else if (maxLifetime !== undefined)
    for (const kind of tokenKinds) problems.push(...tooShort(at('maxLifetime'), maxLifetime, resource, kind));
  if (managed && tokenKinds.some((kind) => ACTS_AS[kind] === 'caller'))
    problems.push(`${at('tokenKinds')}: on behalf of needs the identity "application"`);
  if (tokenKinds.some((kind) => ACTS_AS[kind] === 'accountKey') && !resource.secret)
    problems.push(`${at('secret')}: sts tokens are bought with the key in this secret; name it`);
  if (resource.rotation && !resource.secret)
    problems.push(`${at('secret')}: a rotated key needs a secret to be kept in`);
  return problems;
}

function grantProblems(policy: Policy): string[] {
  const problems: string[] = [];
  for (const [index, grant] of policy.grants.entries()) {
    const at = (field: string): string => `grants[${index}].${field}`;
    for (const [number, caller] of grant.callers.entries()) {
      if (!policy.tenants.some(({ name }) => name === caller.tenant))
        problems.push(`${at(`callers[${number}].tenant`)}: no tenant of this policy: ${caller.tenant}`);
      if (Object.keys(caller).length === 1)
        problems.push(
          `${at(`callers[${number}]`)}: a whole tenant; name a client, object, app role, scope or group`,
        );
    }
    const matched = new Set<Resource>();
    for (const [number, pattern] of grant.resources.entries()) {
      const hits = policy.resources.filter(({ name }) => matches(pattern, name));
      if (hits.length === 0)
        problems.push(`${at(`resources[${number}]`)}: no resource of this policy: ${pattern}`);
      for (const hit of hits) matched.add(hit);
    }
    for (const kind of grant.tokenKinds) {
      const giving = [...matched].filter(({ tokenKinds }) => tokenKinds.includes(kind));
      if (matched.size > 0 && giving.length === 0)
        problems.push(`${at('tokenKinds')}: none of its resources gives ${kind} tokens`);
      for (const resource of giving)
        problems.push(...tooShort(at('maxLifetime'), grant.maxLifetime, resource, kind));
    }
  }
  return problems;
}

function tooShort(path: string, maxLifetimeMs: number, resource: Resource, kind: TokenKind): string[] {
  const neededMs = TOKEN_LIFE_MS[kind](resource);
  if (maxLifetimeMs >= neededMs) return [];
  const minutes = neededMs / 60_000;
  return [
    `${path}: ${kind} tokens for ${resource.name} live up to ${minutes}m; a shorter promise could not be kept`,
  ];
}

const entraLifeMs = ({ identity }: Resource): number =>
  identity.kind === 'application' ? MAX_TOKEN_LIFE_MS : MANAGED_IDENTITY_LIFE_MS;

/** The longest life of a token of the resource, in milliseconds. */
const TOKEN_LIFE_MS: Readonly<Record<TokenKind, (resource: Resource) => number>> = {
  sts: () => STS_LIFE_MS,
  entra: entraLifeMs,
  obo: entraLifeMs,
};

/** A pattern that ends in `*` matches by prefix, any other only the same name. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

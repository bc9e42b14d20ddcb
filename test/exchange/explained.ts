/**
 * Explain against the exchange: `node test/exchange/explained.ts --runs 10000 --seed 1`.
 *
 * Each run has a random policy, caller, wish and set of revocations. The exchange is asked with a signed token, and the
 * explanation must have its outcome and reason, and in each grant what a plain reading of the policy says. Each change
 * that is proposed, applied, must make the exchange grant.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readCommandLine } from '../../src/command-line.ts';
import { callerChanges } from '../../src/exchange/caller-changes.ts';
import { explain } from '../../src/exchange/explain.ts';
import { policyChanges } from '../../src/exchange/policy-changes.ts';
import { createVerifyCaller } from '../../src/exchange/verify.ts';
import { applyPatch } from '../../src/policy/apply-patch.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import type { Caller, Revocation, Scope } from '../../src/ports.ts';
import { refusing, revokedBy } from '../../src/revocation/decision.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { Secret } from '../../src/secret.ts';
import { TOKEN_KINDS, type TokenKind } from '../../src/token-kind.ts';
import { CAPTIONS, HOME, PARTNER, RESEARCHERS, samplePolicy } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import { BROKER, goodHeader, KEY_ID, publicKey, signed } from './entra-token.ts';
import { createWorld } from './world.ts';

const NOW = NOW_MS / 1000;
const STRANGER = '00000000-0000-4000-8000-0000000000ee';
const OTHER = '00000000-0000-4000-8000-0000000000bb';
const some = <T>(...values: T[]) => fc.subarray(values);

const condition = fc.oneof(
  fc.record({ appRole: fc.constantFrom('Token.Exchange', 'Broker.User', 'Other') }),
  fc.record({ scope: fc.constantFrom('Token.Exchange', 'other') }),
  fc.record({ group: fc.constantFrom(RESEARCHERS, OTHER) }),
  fc.record({ clientId: fc.constantFrom(CAPTIONS, OTHER) }),
  fc.record({ objectId: fc.constantFrom(CAPTIONS, OTHER) }),
);
interface Rule {
  readonly [condition: string]: string | Rule | undefined;
  readonly shadow?: Rule;
}
const rule = fc
  .tuple(
    fc.constantFrom('home', 'home', 'partner'),
    fc.array(condition, { minLength: 1, maxLength: 3 }),
    fc.option(condition, { freq: 4, nil: undefined }),
  )
  .map(
    ([tenant, conditions, shadow]): Rule =>
      Object.assign({ tenant }, ...conditions, shadow === undefined ? {} : { shadow }),
  );
interface WrittenGrant {
  readonly callers: readonly Rule[];
  readonly resources: readonly string[];
  readonly tokenKinds: readonly TokenKind[];
  readonly shadow: boolean;
}
const grant: fc.Arbitrary<WrittenGrant> = fc.record({
  callers: fc.array(rule, { minLength: 1, maxLength: 3 }),
  resources: fc.subarray(['speech', 'chat', 'vision', 's*', '*'], { minLength: 1 }),
  tokenKinds: fc.shuffledSubarray([...TOKEN_KINDS], { minLength: 1 }),
  shadow: fc.constantFrom(false, false, false, true),
});
const claims = fc.record({
  kind: fc.constantFrom<Caller['kind']>('user', 'application'),
  tenantId: fc.constantFrom(HOME, HOME, HOME, PARTNER, STRANGER),
  objectId: fc.constantFrom(CAPTIONS, OTHER, STRANGER),
  clientId: fc.constantFrom(CAPTIONS, OTHER, STRANGER),
  age: fc.nat(3_600),
  appRoles: some('Token.Exchange', 'Broker.User', 'Other'),
  scopes: fc.oneof({ arbitrary: fc.constant([]), weight: 1 }, some('Token.Exchange', 'other')),
  groups: some(RESEARCHERS, OTHER),
});
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constantFrom<Scope>(
    { kind: 'tenant', tenantId: HOME },
    { kind: 'user', tenantId: HOME, objectId: CAPTIONS },
    { kind: 'subject', tenantId: HOME, subject: 'sub-1' },
    { kind: 'client', tenantId: HOME, clientId: CAPTIONS },
    { kind: 'token', tenantId: HOME, uti: 'uti-1' },
    { kind: 'resource', name: 'speech' },
    { kind: 'grant', name: 'grant-0' },
    { kind: 'grant', name: 'grant-1' },
  ),
);
const revocation = fc.record({ scope, ago: fc.integer({ min: -60, max: 3_600 }), blocked: fc.boolean() });
const run = fc.record({
  grants: fc.array(grant, { maxLength: 4 }),
  claims,
  target: fc.constantFrom('speech', 'speech', 'chat', 'vision', 'https://westeurope.example', 'nothing'),
  tokenKind: fc.constantFrom(undefined, undefined, ...TOKEN_KINDS),
  revocations: fc.array(revocation, { maxLength: 3 }),
});

type Run = typeof run extends fc.Arbitrary<infer One> ? One : never;

/** With what is in shadow put in force, written without the product's code. */
const inForce = <Grant extends Pick<WrittenGrant, 'callers'>>(grants: readonly Grant[]) =>
  grants.map(({ callers, ...each }) => ({
    ...each,
    shadow: false,
    callers: callers.map(({ shadow, ...rule }) => ({ ...rule, ...shadow })),
  }));

/** A policy with those of the grants that the rules of a policy allow. */
function sourceOf(grants: readonly WrittenGrant[]) {
  const rest = { maxLifetime: '24h', rate: { count: 60, per: '1m' } };
  const named = grants.map((each, index) => ({ name: `grant-${index}`, ...each, ...rest }));
  const source = samplePolicy();
  const valid = named.filter((each) => {
    try {
      loadPolicy(JSON.stringify({ ...source, grants: inForce([each]) }));
      return loadPolicy(JSON.stringify({ ...source, grants: [each] }));
    } catch {
      return false;
    }
  });
  return { ...source, grants: valid };
}

function callerOf({
  age,
  ...rest
}: Pick<Caller, 'kind' | 'tenantId' | 'objectId' | 'clientId' | 'appRoles' | 'scopes' | 'groups'> & {
  readonly age: number;
}): Caller {
  const issuedAtSeconds = NOW - age;
  const text = signed(goodHeader, {
    aud: BROKER,
    ver: '2.0',
    iss: `https://login.microsoftonline.com/${rest.tenantId}/v2.0`,
    iat: issuedAtSeconds,
    nbf: issuedAtSeconds,
    exp: NOW + 3_600,
    tid: rest.tenantId,
    oid: rest.objectId,
    azp: rest.clientId,
    sub: 'sub-1',
    uti: 'uti-1',
    roles: rest.appRoles,
    groups: rest.groups,
    ...(rest.kind === 'application' && { idtyp: 'app' }),
    ...(rest.scopes.length > 0 && { scp: rest.scopes.join(' ') }),
  });
  return {
    ...rest,
    uti: 'uti-1',
    subject: 'sub-1',
    issuedAtSeconds,
    expiresAtSeconds: NOW + 3_600,
    token: new Secret(text),
  };
}

const key = publicKey.toCryptoKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']);

/** What the exchange itself answers, as its audit has it. */
async function exchanged(
  source: unknown,
  caller: Caller,
  wish: { readonly target: string; readonly tokenKind: TokenKind | undefined },
  revocations: ReadonlyMap<string, Revocation>,
): Promise<{
  outcome: string;
  reason?: string;
  grant?: string;
  tokenKind?: string;
  shadow?: readonly string[];
}> {
  const compiled = compilePolicy(loadPolicy(JSON.stringify(source)));
  const verify = createVerifyCaller({
    keys: {
      find: async (tenantId, _, keyId) =>
        keyId === KEY_ID
          ? { key, issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`, keyIssuer: undefined }
          : undefined,
    },
    clock: () => NOW_MS,
    clientId: BROKER,
    audienceUris: [],
    homeTenantId: HOME,
    acceptV1: false,
    isAllowedTenant: async (tenantId) => compiled.tenantName(tenantId) !== undefined,
  });
  const world = createWorld({ policy: (policy) => Object.assign(policy, source), verify });
  for (const [id, entry] of revocations) world.revocations.set(id, entry);
  const answer = await world.exchange(
    { subjectToken: caller.token.reveal(), scope: undefined, ...wish },
    'c',
  );
  const shadow = world.audit[0]?.shadow;
  const said = shadow === undefined ? {} : { shadow };
  if ('token' in answer) return { outcome: 'granted', grant: answer.grant, tokenKind: answer.kind, ...said };
  const reason = world.strangers[0]?.[0] ?? world.audit[0]?.reason ?? '';
  return { outcome: 'refused', reason, ...said };
}

/** A plain reading of a rule, written without the product's code. */
function holds({ tenant, shadow: _, ...wanted }: Rule, caller: Caller): boolean {
  if (caller.tenantId !== (tenant === 'home' ? HOME : PARTNER)) return false;
  return Object.entries(wanted).every(([name, value]) => {
    if (name === 'appRole') return caller.appRoles.some((role) => role === value);
    if (name === 'scope') return caller.scopes.some((one) => one === value);
    if (name === 'group') return caller.groups.some((id) => id === value);
    return name === 'clientId' ? caller.clientId === value : caller.objectId === value;
  });
}

async function check({
  grants,
  claims,
  target,
  tokenKind,
  revocations,
}: Run): Promise<readonly [number, number]> {
  const source = sourceOf(grants);
  const policy = loadPolicy(JSON.stringify(source));
  const version = { source, policy, compiled: compilePolicy(policy) };
  const caller = callerOf(claims);
  const asked = { target, tokenKind, scope: undefined };
  const revoked = new Map(
    revocations.map(({ scope, ago, blocked }): [string, Revocation] => [
      scopeKey(scope),
      { scope, cutOffSeconds: NOW - ago, blocked },
    ]),
  );
  const {
    outcome,
    reason,
    grant,
    tokenKind: kind,
    ...explained
  } = explain(version, { revokedBy, refusing }, caller, asked, revoked);
  const { shadow, ...real } = await exchanged(source, caller, asked, revoked);
  assert.deepEqual(
    {
      outcome,
      ...(reason !== undefined && { reason }),
      ...(grant !== undefined && { grant, tokenKind: kind }),
    },
    real,
  );

  const name = version.compiled.target(target)?.resource.name ?? '';
  const naming = source.grants.filter(
    ({ resources, shadow }) =>
      !shadow &&
      resources.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1)))),
  );
  const gives = { speech: ['sts', 'entra'], chat: ['entra', 'obo'], vision: ['entra'] }[name] ?? [];
  assert.deepEqual(
    explained.grants.map(({ name, applies }) => ({ name, applies })),
    (name === '' ? [] : naming).map((each) => ({
      name: each.name,
      applies:
        each.callers.some((one) => holds(one, caller)) &&
        each.tokenKinds.some((one) => gives.includes(one) && (tokenKind ?? one) === one),
    })),
  );

  // What is in shadow changes no answer, and the record has the answer that it would give in force.
  const then = await exchanged({ ...source, grants: inForce(source.grants) }, caller, asked, new Map());
  const bare = await exchanged(source, caller, asked, new Map());
  if (then.outcome === bare.outcome) assert.equal(bare.shadow, undefined);
  else if (then.outcome === 'granted') assert.deepEqual(bare.shadow, [`would-have-granted ${then.grant}`]);
  else assert.deepEqual(bare.shadow, [`would-have-denied ${bare.grant}`]);
  assert.deepEqual(shadow, bare.shadow);

  if (outcome === 'granted') return [0, 0];
  const decided = { version, revokedBy, caller, asked, revocations: revoked };
  const ofPolicy = policyChanges(decided);
  for (const { what, patch } of ofPolicy) {
    const changed = applyPatch(source, patch);
    assert.ok(changed.kind === 'patched', what);
    const answer = await exchanged(changed.document, caller, asked, revoked);
    assert.equal(answer.outcome, 'granted', what);
  }
  const ofCaller = callerChanges(decided);
  for (const { what, caller: bent, tokenKind: other } of ofCaller) {
    const age = bent.issuedAtSeconds === undefined ? claims.age : NOW - bent.issuedAtSeconds;
    const changed = callerOf({ ...claims, ...bent, age });
    const wish = { target, tokenKind: other ?? tokenKind };
    assert.equal((await exchanged(source, changed, wish, revoked)).outcome, 'granted', what);
  }
  return [ofPolicy.length, ofCaller.length];
}

export interface ExplainedRuns {
  readonly seed: number;
  readonly runs: number;
  readonly policyChanges: number;
  readonly callerChanges: number;
  readonly seconds: number;
}
export async function explainedRuns(runs: number, seed: number): Promise<ExplainedRuns> {
  const startedAt = performance.now();
  let ofPolicy = 0;
  let ofCaller = 0;
  const property = fc.asyncProperty(run, async (one) => {
    const [policy, caller] = await check(one);
    ofPolicy += policy;
    ofCaller += caller;
  });
  await fc.assert(property, { numRuns: runs, seed });
  return {
    seed,
    runs,
    policyChanges: ofPolicy,
    callerChanges: ofCaller,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

if (import.meta.main) {
  const { values } = readCommandLine('node test/exchange/explained.ts [--runs N] [--seed S]', {
    options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
  });
  console.log(JSON.stringify(await explainedRuns(Number(values.runs), Number(values.seed))));
}

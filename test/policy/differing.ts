/** Random pairs of policies and a caller: the difference against what the compiled policies themselves answer. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AccessChange, accessDifference } from '../../src/policy/difference.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { type CompiledPolicy, compilePolicy } from '../../src/policy/match.ts';
import type { Policy } from '../../src/policy/schema.ts';
import type { Caller } from '../../src/ports.ts';
import { TOKEN_KINDS, type TokenKind } from '../../src/token-kind.ts';
import { aCaller } from '../exchange/caller.ts';
import { samplePolicy } from './sample.ts';

export const BASE = loadPolicy(JSON.stringify(samplePolicy()));
const IDS = ['id-1', 'id-2'];
const some = fc.subarray(['a', 'b']);
const maybe = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const rule = fc.record({
  tenant: fc.constantFrom(...BASE.tenants.map(({ name }) => name)),
  clientId: maybe('a', 'b'),
  objectId: maybe('a', 'b'),
  blueprint: maybe('a', 'b'),
  appRole: maybe('a', 'b'),
  scope: maybe('a', 'b'),
  group: maybe('a', 'b'),
  shadow: fc.option(fc.record({ group: fc.constantFrom('a', 'b') }), { nil: undefined, freq: 5 }),
});
const grant = fc.record({
  name: fc.constant('g'),
  shadow: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
  callers: fc.array(rule, { minLength: 1, maxLength: 3 }),
  resources: fc.array(fc.constantFrom('*', 'x*', 'c*', ...BASE.resources.map(({ name }) => name)), {
    minLength: 1,
    maxLength: 2,
  }),
  tokenKinds: fc.subarray([...TOKEN_KINDS], { minLength: 1 }),
  maxLifetime: fc.constantFrom(600_000, 3_600_000, 86_400_000),
  rate: fc.constant({ count: 1, per: 60_000 }),
});
export const policy: fc.Arbitrary<Policy> = fc
  .tuple(
    fc.array(grant, { maxLength: 4 }),
    fc.shuffledSubarray(IDS, { minLength: 2 }),
    fc.subarray(BASE.resources),
  )
  .map(([grants, ids, resources]) => ({
    ...BASE,
    grants,
    resources,
    tenants: BASE.tenants.map((tenant, index) => ({ ...tenant, id: ids[index] ?? `id-${index + 1}` })),
  }));
export const caller = fc
  .record({
    tenantId: fc.constantFrom(...IDS, 'id-3'),
    clientId: fc.constantFrom('a', 'b', 'c'),
    objectId: fc.constantFrom('a', 'b', 'c'),
    blueprint: maybe('a', 'b'),
    appRoles: some,
    scopes: some,
    groups: some,
  })
  .map(({ blueprint, ...members }) =>
    aCaller({
      ...members,
      ...(blueprint !== undefined && { agent: { blueprintId: blueprint, actsFor: 'itself' } }),
    }),
  );

const had = (one: Caller, region: ReadonlySet<string>): boolean => {
  const has = new Set([
    `tenant ${one.tenantId}`,
    `clientId ${one.clientId}`,
    `objectId ${one.objectId}`,
    `blueprint ${one.agent?.blueprintId}`,
    ...one.appRoles.map((role) => `appRole ${role}`),
    ...one.scopes.map((scope) => `scope ${scope}`),
    ...one.groups.map((group) => `group ${group}`),
  ]);
  return [...region].every((condition) => has.has(condition));
};
export const touches = (one: Caller, { callers, except }: AccessChange): boolean =>
  had(one, callers) && !except.some((region) => had(one, region));

/** The caller with all that one of the rules names, because whom no rule fits neither gains nor loses. */
function fitted(one: Caller, policies: readonly Policy[], pick: number): Caller {
  const rules = policies.flatMap(({ tenants, grants }) =>
    grants.flatMap(({ callers }) =>
      callers.map((fits) => ({ ...fits, tenantId: tenants.find(({ name }) => name === fits.tenant)?.id })),
    ),
  );
  const chosen = rules[pick % (rules.length + 1)];
  if (chosen === undefined) return one;
  const { tenantId, clientId, objectId, blueprint, appRole, scope, group } = chosen;
  const also = (had: readonly string[], named: string | undefined) =>
    named === undefined ? had : [...new Set([...had, named])];
  return {
    ...one,
    tenantId: tenantId ?? one.tenantId,
    clientId: clientId ?? one.clientId,
    objectId: objectId ?? one.objectId,
    appRoles: also(one.appRoles, appRole),
    scopes: also(one.scopes, scope),
    groups: also(one.groups, group),
    ...(blueprint !== undefined && { agent: { blueprintId: blueprint, actsFor: 'itself' } }),
  };
}

/** The longest life of a token that this caller may have; 0: it may have none. */
function lifeMsOf(compiled: CompiledPolicy, one: Caller, name: string, kind: TokenKind): number {
  const target = compiled.target(name);
  if (target === undefined) return 0;
  const { maxLifetime = Number.POSITIVE_INFINITY } = target.resource;
  const lives = compiled.options(one, target.resource, kind).map(({ grant }) => grant.maxLifetime);
  return Math.min(maxLifetime, Math.max(0, ...lives));
}

/** @returns how many accesses differed */
export function callersAreInTheDifference(numRuns: number, seed: number): number {
  let changed = 0;
  fc.assert(
    fc.property(policy, policy, caller, fc.nat(), (before, after, any, pick) => {
      const one = fitted(any, [before, after], pick);
      const changes = accessDifference(before, after);
      const [old, current] = [compilePolicy(before), compilePolicy(after)];
      for (const { name } of BASE.resources)
        for (const kind of TOKEN_KINDS) {
          const [hadMs = 0, hasMs = 0] = [old, current].map((compiled) =>
            lifeMsOf(compiled, one, name, kind),
          );
          const [had, has] = [hadMs > 0, hasMs > 0];
          const of = changes.filter(
            (change) => change.resources.includes(name) && change.kind === kind && touches(one, change),
          );
          const said = of.filter(({ lifeMs }) => lifeMs === undefined);
          if (hadMs !== hasMs) changed += 1;
          for (const { change, lifeMs } of of) {
            if (lifeMs === undefined) continue;
            const [less, more] = change === 'gained' ? [hadMs, hasMs] : [hasMs, hadMs];
            assert.ok(less < lifeMs && lifeMs <= more, 'nobody else is in it');
          }
          if (had && has)
            assert.equal(
              of.some(({ lifeMs }) => lifeMs === Math.max(hadMs, hasMs)),
              hadMs !== hasMs,
            );
          assert.equal(
            said.some(({ change }) => change === 'gained'),
            !had && has,
          );
          assert.equal(
            said.some(({ change }) => change === 'lost'),
            had && !has,
          );
        }
    }),
    { numRuns, seed },
  );
  return changed;
}

/** Random pairs of policies and a caller: the difference against what the compiled policies themselves answer. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AccessChange, accessDifference } from '../../src/policy/difference.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import type { Policy } from '../../src/policy/schema.ts';
import type { Caller } from '../../src/ports.ts';
import { TOKEN_KINDS } from '../../src/token-kind.ts';
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
  appRole: maybe('a', 'b'),
  scope: maybe('a', 'b'),
  group: maybe('a', 'b'),
  shadow: fc.option(fc.record({ group: fc.constantFrom('a', 'b') }), { nil: undefined, freq: 5 }),
});
const grant = fc.record({
  name: fc.constant('g'),
  shadow: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
  callers: fc.array(rule, { minLength: 1, maxLength: 3 }),
  resources: fc.array(fc.constantFrom('*', 'x*', ...BASE.resources.map(({ name }) => name)), {
    minLength: 1,
    maxLength: 2,
  }),
  tokenKinds: fc.subarray([...TOKEN_KINDS], { minLength: 1 }),
  maxLifetime: fc.constant(86_400_000),
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
    appRoles: some,
    scopes: some,
    groups: some,
  })
  .map((members) => aCaller(members));

const had = (one: Caller, region: ReadonlySet<string>): boolean => {
  const has = new Set([
    `tenant ${one.tenantId}`,
    `clientId ${one.clientId}`,
    `objectId ${one.objectId}`,
    ...one.appRoles.map((role) => `appRole ${role}`),
    ...one.scopes.map((scope) => `scope ${scope}`),
    ...one.groups.map((group) => `group ${group}`),
  ]);
  return [...region].every((condition) => has.has(condition));
};
export const touches = (one: Caller, { callers, except }: AccessChange): boolean =>
  had(one, callers) && !except.some((region) => had(one, region));

/** @returns how many accesses differed */
export function callersAreInTheDifference(numRuns: number, seed: number): number {
  let changed = 0;
  fc.assert(
    fc.property(policy, policy, caller, (before, after, one) => {
      const changes = accessDifference(before, after);
      const [old, current] = [compilePolicy(before), compilePolicy(after)];
      for (const { name } of BASE.resources)
        for (const kind of TOKEN_KINDS) {
          const [had, has] = [old, current].map((compiled) => {
            const target = compiled.target(name);
            return target !== undefined && compiled.options(one, target.resource, kind).length > 0;
          });
          const said = changes.filter(
            (change) => change.resources.includes(name) && change.kind === kind && touches(one, change),
          );
          if (had !== has) changed += 1;
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

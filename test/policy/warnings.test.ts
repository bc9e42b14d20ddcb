import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { demoPolicy, resources } from '../../src/local/simulated/demo.ts';
import { conditionalAccessWarnings } from '../../src/policy/conditional-access.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { matches } from '../../src/policy/pattern.ts';
import { policyWarnings } from '../../src/policy/warnings.ts';
import { policy } from './differing.ts';
import { RESEARCHERS, samplePolicy } from './sample.ts';

const warningsOf = (grants: readonly object[]): readonly string[] => {
  const rest = { maxLifetime: '2h', rate: { count: 60, per: '1m' }, resources: ['chat'] };
  const named = grants.map((grant, index) => ({ name: `grant-${index}`, ...rest, ...grant }));
  return policyWarnings(loadPolicy(JSON.stringify({ ...samplePolicy(), grants: named })));
};
const people = { tenant: 'home', group: RESEARCHERS, scope: 'Token.Exchange' };
const application = { tenant: 'home', appRole: 'Token.Exchange' };
const id = (last: string) => `00000000-0000-4000-8000-0000000000${last}`;

test('one grant that gives a user both kinds for one resource is warned of, by its path', () => {
  const [warning, ...others] = warningsOf([{ callers: [application, people], tokenKinds: ['obo', 'entra'] }]);
  assert.deepEqual(others, []);
  assert.match(
    warning ?? '',
    /^grants\[0\] \(grant-0\)\.callers\[1\]: .* entra tokens for chat.* Conditional Access/,
  );
});

test('two grants that meet in one user are warned of, with both paths', () => {
  const [warning] = warningsOf([
    { callers: [people], tokenKinds: ['obo'] },
    { callers: [{ tenant: 'home', objectId: id('d1') }], tokenKinds: ['entra'], resources: ['ch*'] },
  ]);
  assert.match(
    warning ?? '',
    /^grants\[1\] \(grant-1\)\.callers\[0\]: .*grants\[0\] \(grant-0\)\.callers\[0\]/,
  );
});

test('what never meets in one user is not', () => {
  const obo = { callers: [people], tokenKinds: ['obo'] };
  assert.deepEqual(warningsOf([obo]), []);
  assert.deepEqual(warningsOf([obo, { callers: [application], tokenKinds: ['entra'] }]), [], 'applications');
  assert.deepEqual(
    warningsOf([obo, { callers: [people], tokenKinds: ['entra'], resources: ['speech'] }]),
    [],
  );
  const through = (clientId: string, kind: string) => ({
    callers: [{ ...people, clientId }],
    tokenKinds: [kind],
  });
  assert.deepEqual(warningsOf([through(id('c1'), 'obo'), through(id('c2'), 'entra')]), [], 'other clients');
  assert.equal(warningsOf([through(id('c1'), 'obo'), through(id('c1'), 'entra')]).length, 1);
});

test('the policies of this repository and of the demo set are warned of nothing', () => {
  for (const file of ['policy.json', 'policy.dev.json']) {
    const text = readFileSync(new URL(`../../infra/${file}`, import.meta.url), 'utf8');
    assert.deepEqual(policyWarnings(loadPolicy(text)), [], file);
  }
  const addresses = new Map(
    resources.map(({ name }) => [
      name,
      { endpoint: `https://${name}.example`, regionalEndpoint: `https://${name}.region.example` },
    ]),
  );
  assert.deepEqual(
    policyWarnings(loadPolicy(JSON.stringify(demoPolicy(addresses, 'https://e.example', 0)))),
    [],
  );
});

test('for every policy, those rules are warned of that one user can match together with a rule for obo tokens', () => {
  const agree = (one: string | undefined, other: string | undefined) =>
    one === undefined || other === undefined || one === other;
  let warned = 0;
  fc.assert(
    fc.property(policy, ({ grants, resources, ...rest }) => {
      // No rule names a group: what is left of each may be a person's.
      const people = grants.map(({ callers, ...grant }, index) => ({
        ...grant,
        name: `g${index}`,
        callers: callers.map(({ tenant, clientId, objectId }) => ({ tenant, clientId, objectId })),
      }));
      const given = resources.flatMap((resource) =>
        people.flatMap(({ name, callers, tokenKinds, resources: patterns }, place) =>
          patterns.some((pattern) => matches(pattern, resource.name))
            ? callers.map((rule, number) => ({
                rule,
                resource,
                path: `grants[${place}] (${name}).callers[${number}]`,
                kinds: tokenKinds.filter((kind) => resource.tokenKinds.includes(kind)),
              }))
            : [],
        ),
      );
      const expected = given.filter(
        ({ kinds, rule, resource }) =>
          kinds.includes('entra') &&
          given.some(
            (other) =>
              other.resource === resource &&
              other.kinds.includes('obo') &&
              other.rule.tenant === rule.tenant &&
              agree(other.rule.clientId, rule.clientId) &&
              agree(other.rule.objectId, rule.objectId),
          ),
      );
      const lines = conditionalAccessWarnings({ ...rest, resources, grants: people });
      assert.deepEqual(
        lines.map((line) => line.slice(0, line.indexOf(': '))).sort(),
        [...new Set(expected.map(({ path }) => path))].sort(),
      );
      warned += lines.length;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(warned > 100, 'some are warned of');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changesInWords } from '../../src/policy/changes.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { policy } from './differing.ts';
import { samplePolicy } from './sample.ts';

type Source = ReturnType<typeof samplePolicy>;
const changes = (bend: (policy: Source) => void): readonly string[] => {
  const after = samplePolicy();
  bend(after);
  return changesInWords(loadPolicy(JSON.stringify(samplePolicy())), loadPolicy(JSON.stringify(after)));
};
const isIn = (all: readonly string[], text: string): boolean => all.some((one) => one.includes(text));

test('a longer life is told for whom it is, and the member that says it', () => {
  const all = changes(({ grants: [first] }) => Object.assign(first ?? {}, { maxLifetime: '2h' }));
  assert.ok(isIn(all, 'may now have'), all.join('\n'));
  assert.ok(isIn(all, 'that live for 2h'), all.join('\n'));
  assert.ok(isIn(all, 'maxLifetime was'), all.join('\n'));
});

test('a rate, an endpoint and another first kind are told, though nobody gains or loses a kind', () => {
  const all = changes(({ grants: [first], resources: [resource] }) => {
    Object.assign(first ?? {}, { rate: { count: 7, per: '1m' } });
    Object.assign(resource ?? {}, { endpoint: 'https://another.example' });
  });
  assert.ok(isIn(all, 'rate.count was'), all.join('\n'));
  assert.ok(isIn(all, 'endpoint was'), all.join('\n'));
  assert.ok(!isIn(all, 'may now'), all.join('\n'));
});

test('a resource that leaves is told, and each kind that its callers lose', () => {
  const all = changes((policy) => {
    const [gone] = policy.resources.splice(0, 1);
    for (const grant of policy.grants)
      Object.assign(grant, {
        resources: (grant['resources'] as string[]).filter((name) => name !== gone?.['name']),
      });
    policy.grants.splice(
      0,
      policy.grants.length,
      ...policy.grants.filter((grant) => (grant['resources'] as string[]).length > 0),
    );
  });
  assert.ok(isIn(all, 'is gone'), all.join('\n'));
  assert.ok(isIn(all, 'may no longer have'), all.join('\n'));
});

test('grants in another order are told, because of several the first one counts', () => {
  assert.deepEqual(
    changes(({ grants }) => grants.reverse()),
    ['the grants are in another order'],
  );
});

test('two policies have no changes exactly when they are the same', () => {
  fc.assert(
    fc.property(policy, policy, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      assert.deepEqual(changesInWords(one, one), []);
      if (changesInWords(one, other).length === 0)
        assert.ok(isSame || one.grants.length > 1, 'only entries of the same name may differ unseen');
    }),
    { numRuns: 200, seed: 1 },
  );
});

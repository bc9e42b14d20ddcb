import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessDifference } from '../../src/policy/difference.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { byName } from '../../src/policy/names.ts';
import { matches } from '../../src/policy/pattern.ts';
import { ruleProblems } from '../../src/policy/rules.ts';
import type { Policy } from '../../src/policy/schema.ts';
import { policyWarnings } from '../../src/policy/warnings.ts';
import { samplePolicy } from './sample.ts';

/** A policy of so many resources, each with a region of its own and a grant that is found by a prefix of its name. */
function policyOf(count: number): Policy {
  const { resources, grants, ...rest } = samplePolicy();
  const numbers = Array.from({ length: count }, (_, number) => number);
  const [resource, grant] = [resources[0], grants[0]];
  return loadPolicy(
    JSON.stringify({
      ...rest,
      resources: numbers.map((number) => ({
        ...resource,
        name: `speech-${number}-x`,
        accountId: `${resource?.['accountId']}${number}`,
        endpoint: `https://speech-${number}.example`,
        regionalEndpoint: `https://region-${number}.example`,
        secret: `speech-key-${number}`,
        tokenKinds: ['sts', 'entra', 'obo'],
      })),
      grants: numbers.map((number) => ({
        ...grant,
        name: `captions-${number}`,
        callers: [{ tenant: 'home', scope: 'Token.Exchange' }],
        resources: [`speech-${number}-*`],
        tokenKinds: ['obo', 'entra'],
        maxLifetime: '90m',
      })),
    }),
  );
}

/** How often a member of a resource or of a grant is read. */
function readsOf(policy: Policy, work: (policy: Policy) => unknown): number {
  let reads = 0;
  const counted = <Entry extends object>(entry: Entry): Entry =>
    new Proxy(entry, {
      get: (target, member, receiver) => {
        reads += 1;
        return Reflect.get(target, member, receiver);
      },
    });
  work({ ...policy, resources: policy.resources.map(counted), grants: policy.grants.map(counted) });
  return reads;
}

const differing = (policy: Policy) => accessDifference(policy, policy);
for (const [what, work] of Object.entries({ ruleProblems, compilePolicy, policyWarnings, differing }))
  test(`${what} reads each resource and grant a few times, not each pair of them, so that a large policy is no pause`, () => {
    const [few, many] = [20, 200].map((count) => readsOf(policyOf(count), work));
    assert.ok(few !== undefined && many !== undefined && many <= few * 11, `${few} reads, then ${many}`);
  });

test('what a pattern names is found in the order of the policy, as a look at each name finds it', () => {
  const names = ['b', 'a-b', 'a', 'b', 'a-', 'A', 'aé', 'a-b-c', 'ab', '', 'a-\u{1F600}', 'a-\uFFFF'];
  const find = byName(names.map((name) => [name, name]));
  for (const pattern of ['*', 'a*', 'a-*', 'a-b*', 'a-b', 'b', 'c', 'c*', 'A*', 'a-\u{1F600}*', 'aé', ''])
    assert.deepEqual(
      find(pattern),
      names.filter((name) => matches(pattern, name)),
      pattern,
    );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessDifference } from '../../src/policy/difference.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { byName, byPattern } from '../../src/policy/names.ts';
import { matches } from '../../src/policy/pattern.ts';
import { ruleProblems } from '../../src/policy/rules.ts';
import type { Policy } from '../../src/policy/schema.ts';
import { policyWarnings } from '../../src/policy/warnings.ts';
import type { Caller } from '../../src/ports.ts';
import { aCaller } from '../exchange/caller.ts';
import { HOME, samplePolicy } from './sample.ts';

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

test('the patterns that match a name are found as a look at each pattern finds them, and share what they have', () => {
  const patterns = ['*', 'a*', 'a-*', 'a-b*', 'a-b', 'b', 'c', 'A*', 'aé', 'a-\u{1F600}*', 'b'];
  const find = byPattern(patterns.map((pattern, place) => [[pattern, 'x*'], place]));
  for (const name of ['a-b', 'a', 'b', 'a-', 'A', 'aé', 'a-b-c', '', 'a-\u{1F600}', 'c']) {
    const found = find(name).flatMap((group) => [...group]);
    assert.deepEqual(
      found.sort((one, other) => one - other),
      [...patterns.keys()].filter((place) => matches(patterns[place] ?? '', name)),
      name,
    );
  }
  assert.equal(find('a-b-1').at(1), find('a-b-2').at(1), 'a set for each pattern, not for each name');
});

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** One resource with so many grants, each with so many callers; the last caller of the last grant asks. */
function wide(grantCount: number, callerCount: number): Policy {
  const { grants, ...rest } = samplePolicy();
  const callers = (from: number) =>
    Array.from({ length: callerCount }, (_, number) => ({ tenant: 'home', clientId: idOf(from + number) }));
  return loadPolicy(
    JSON.stringify({
      ...rest,
      grants: Array.from({ length: grantCount }, (_, number) => ({
        ...grants[0],
        name: `grant-${number}`,
        callers: callers(number * callerCount),
      })),
    }),
  );
}

/** How often a decision reads something of the caller. */
function looksAtCaller(policy: Policy, clientId: string): number {
  let looks = 0;
  const caller = new Proxy<Caller>(aCaller({ tenantId: HOME, clientId }), {
    get: (target, member, receiver) => {
      looks += 1;
      return Reflect.get(target, member, receiver);
    },
  });
  const { target, options } = compilePolicy(policy);
  const resource = target('speech')?.resource;
  assert.ok(resource);
  assert.equal(options(caller, resource, undefined).length, 1);
  return looks;
}

test('a caller is looked up: a thousand grants of a resource, or callers of a grant, are no more looks than one', () => {
  const looks = looksAtCaller(wide(1, 1), idOf(0));
  assert.equal(looksAtCaller(wide(1_000, 1), idOf(999)), looks);
  assert.equal(looksAtCaller(wide(1, 1_000), idOf(999)), looks);
});

test('a thousand rules that may be the same person are warned of in a line for each, not for each pair', () => {
  const { resources, grants, ...rest } = samplePolicy();
  const policy = loadPolicy(
    JSON.stringify({
      ...rest,
      resources: ['chat-1', 'chat-2', 'chat-3'].map((name) => ({
        ...resources[1],
        name,
        accountId: `${resources[1]?.['accountId']}-${name}`,
        endpoint: `https://${name}.example`,
      })),
      grants: [
        {
          ...grants[1],
          resources: ['*'],
          callers: Array.from({ length: 1_000 }, (_, number) => ({ tenant: 'home', group: idOf(number) })),
        },
      ],
    }),
  );
  const warnings = policyWarnings(policy);
  assert.equal(warnings.length, 1_000);
  assert.match(
    warnings[999] ?? '',
    /callers\[999\]: a user may have entra tokens for chat-1 and 2 more, .* by the same rule/,
  );
});

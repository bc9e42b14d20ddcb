import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Environment, parseEnvironments } from '../../infra/environments.ts';
import { MARKER, type ReviewedPolicy, reviewOf } from '../../infra/policy-comment.ts';
import { loadPolicy } from '../../src/policy/load.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const shipped = read('infra/policy.json');
const prod = (): Environment =>
  parseEnvironments(read('infra/environments.json')).get('prod') ?? assert.fail();
const HOME = '00000000-0000-4000-8000-000000000001';

type Bend = (policy: {
  tenants: Record<string, unknown>[];
  resources: Record<string, unknown>[];
  grants: Record<string, unknown>[];
}) => void;
const review = (bend: Bend, more: Partial<ReviewedPolicy> = {}) => {
  const after = JSON.parse(shipped);
  bend(after);
  return reviewOf({
    before: shipped,
    after: JSON.stringify(after),
    environment: prod(),
    homeTenantId: HOME,
    ...more,
  });
};

test('the comment in the README is what a pull request gets', () => {
  const { comment } = review(({ grants }) => {
    Object.assign(grants[0] ?? {}, { rate: { count: 120, per: '1m' } });
    grants.push({
      name: 'nightly-speech',
      callers: [{ tenant: 'home', group: '00000000-0000-4000-8000-000000000004' }],
      resources: ['*'],
      tokenKinds: ['entra'],
      maxLifetime: '90m',
      rate: { count: 10, per: '1h' },
    });
  });
  assert.ok(read('README.md').includes(comment.replace(`${MARKER}\n\n`, '')), comment);
});

test('a change that says nothing new says so', () => {
  const { isValid, comment } = review(() => undefined);
  assert.ok(isValid);
  assert.match(comment, /nobody gains or loses anything/);
});

test('a policy that the broker would refuse is told with every problem', () => {
  const { isValid, comment } = review(({ grants }) => {
    Object.assign(grants[0] ?? {}, { resources: ['speach'], maxLifetime: 'soon' });
  });
  assert.equal(isValid, false);
  assert.match(comment, /2 problem\(s\)/);
  assert.match(comment, /"speach"/);
});

test('the first policy, and one after a broken one, are told without a comparison', () => {
  assert.match(review(() => undefined, { before: undefined }).comment, /no policy before this one/);
  const after = review(() => undefined, { before: '{' });
  assert.ok(after.isValid);
  assert.match(after.comment, /before this one is not valid/);
});

test('what must be confirmed is told before it is merged', () => {
  const opened = review(({ grants }) => {
    Object.assign(grants[0] ?? {}, { callers: [{ tenant: 'home', scope: 'Token.Exchange' }] });
  });
  assert.match(opened.comment, /To be confirmed[\s\S]*whole-tenant-gains: /);
  const moved: Bend = ({ tenants: [tenant] }) => {
    Object.assign(tenant ?? {}, { id: '00000000-0000-4000-8000-0000000000ff' });
  };
  assert.match(review(moved).comment, /operators-lose-access: /);
  assert.doesNotMatch(review(moved, { homeTenantId: undefined }).comment, /operators-lose-access/);
});

test('an account on which the apps have no role yet is named, and is no reason to hold the change back', () => {
  const { isValid, comment } = review(() => undefined, { environment: { ...prod(), accounts: [] } });
  assert.ok(isValid);
  assert.match(comment, /^speech: no role is given on its account .*contoso-speech/m);
  assert.match(comment, /^chat: no role is given on its account .*contoso-chat/m);
  assert.doesNotMatch(review(() => undefined, { environment: undefined }).comment, /no role is given/);
});

test('what an author writes neither ends its block nor hides what follows', () => {
  const role = 'x\n```\n<!-- \u202E hidden \u200B';
  const { comment } = review(({ grants }) => {
    Object.assign(grants[0] ?? {}, {
      callers: [{ tenant: 'home', appRole: role, objectId: '00000000-0000-4000-8000-0000000000aa' }],
    });
  });
  assert.equal(comment.match(/^```/gm)?.length, (comment.match(/^```text$/gm)?.length ?? 0) * 2);
  assert.doesNotMatch(comment, /[\u202E\u200B]/);
  for (const line of comment.split('\n')) assert.doesNotMatch(line, /^<!-- (?!azure-ai-token-broker)/);
});

test('a comment of a very large change fits into GitHub, and says how much is left out', () => {
  const { comment } = review(({ grants }) => {
    for (let index = 0; index < 3_000; index += 1)
      grants.push({
        name: `grant-${index}`,
        callers: [
          {
            tenant: 'home',
            appRole: 'x'.repeat(300),
            clientId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
          },
        ],
        resources: ['speech'],
        tokenKinds: ['sts'],
        maxLifetime: '10m',
        rate: { count: 1, per: '1m' },
      });
  });
  assert.ok(comment.length < 65_536, String(comment.length));
  assert.match(comment, /and \d+ more/);
  assert.ok(loadPolicy(shipped).grants.length < 3_000);
});

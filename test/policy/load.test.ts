import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadPolicy } from '../../src/policy/load.ts';
import { matches } from '../../src/policy/pattern.ts';
import { policyJsonSchema } from '../../src/policy/write-schema.ts';
import { grant, problemsOf, problemsOfText, resource, VISION } from './bend.ts';
import { samplePolicy } from './sample.ts';

test('a policy without fault loads, with its defaults and its durations in milliseconds', () => {
  const policy = loadPolicy(JSON.stringify(samplePolicy()));
  assert.deepEqual(policy.resources[0]?.identity, { kind: 'application' });
  assert.equal(policy.resources[0]?.scope, 'https://cognitiveservices.azure.com/.default');
  assert.equal(policy.resources[0]?.rotation?.period, 30 * 86_400_000);
  assert.equal(policy.resources[2]?.maxLifetime, 86_400_000);
  assert.equal(policy.grants[0]?.maxLifetime, 600_000);
});

test('the policy that is deployed loads', () => {
  loadPolicy(readFileSync(new URL('../../infra/policy.json', import.meta.url), 'utf8'));
});

test('the published JSON schema is the one that the types say', () => {
  const published = readFileSync(new URL('../../infra/policy.schema.json', import.meta.url), 'utf8');
  assert.equal(published, policyJsonSchema(), 'run `npm run schema`');
});

test('every problem is listed, and an unknown key hides none of the others', () => {
  const found = problemsOf((policy) => {
    Object.assign(policy, { admins: [] });
    Object.assign(grant(policy, 0), { resources: ['nothing'] });
    delete resource(policy, VISION)['maxLifetime'];
    Object.assign(grant(policy, 1), { name: 'captions' });
  });
  assert.equal(found.length, 4, found.join('\n'));
  for (const path of [
    'policy:',
    'grants[0] (captions).resources[0]:',
    'resources[2] (vision).maxLifetime:',
    'grants[1] (captions).name:',
  ])
    assert.ok(
      found.some((problem) => problem.startsWith(path)),
      path,
    );
});

test('what is not JSON, or says a member twice, is one problem in words', () => {
  assert.match(problemsOfText('{').join(), /^not JSON: /);
  const twice = JSON.stringify(samplePolicy()).replace(/}$/, ',"grants":[]}');
  assert.match(
    problemsOfText(twice).join(),
    /^not JSON: line 1, column [0-9]+: "grants" is a member of this object twice/,
  );
});

test('a pattern is a name, or a prefix with one star at its end', () => {
  for (const [pattern, name, expected] of [
    ['speech', 'speech', true],
    ['speech', 'speech-2', false],
    ['speech', 'my-speech', false],
    ['speech*', 'speech-2', true],
    ['speech*', 'speech', true],
    ['speech*', 'my-speech', false],
    ['*', 'anything', true],
    ['a', 'a|b', false],
  ] as const)
    assert.equal(matches(pattern, name), expected, `${pattern} and ${name}`);
});

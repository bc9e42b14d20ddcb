import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { knownMembers, usedMembers } from '../../src/policy/members.ts';
import { samplePolicy } from './sample.ts';

const known = knownMembers();
const unknown = (policy: unknown): string[] =>
  [...usedMembers(policy)].filter((member) => !known.has(member));

test('every member of a valid policy is known, so that none is called unreadable', () => {
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(new URL(`../../infra/${file}`, import.meta.url), 'utf8'));
  for (const policy of [samplePolicy(), read('policy.json'), read('policy.dev.json')])
    assert.deepEqual(unknown(policy), []);
  for (const member of [
    'grants.callers.shadow.group',
    'resources.rotation.consumers.within',
    'transmitters.jwksUri',
  ])
    assert.ok(known.has(member), member);
});

test('a member of a later version is told by its path, once, wherever it is', () => {
  const later = { ...samplePolicy(), grants: [{ callers: [{ moon: 'full' }, { moon: 'new' }] }] };
  assert.deepEqual(unknown(later), ['grants.callers.moon']);
});

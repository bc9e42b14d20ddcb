/** infra/POLICY.md is what the schema says, describes every member, and its examples load. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as z from 'zod';
import { loadPolicy } from '../../src/policy/load.ts';
import { policyPage } from '../../src/policy/reference.ts';
import { APP_ROLES, SCOPES } from '../../src/policy/registration.ts';
import { policySchema } from '../../src/policy/schema.ts';
import { policyWarnings } from '../../src/policy/warnings.ts';
import { blocksOf } from '../infra/page.ts';

const infra = (name: string): string => readFileSync(new URL(`../../infra/${name}`, import.meta.url), 'utf8');
const page = infra('POLICY.md');

type Entry = Record<string, unknown>;

/** As POLICY.md says: an entry changes the one with its name, or is added; an empty list empties. */
function merged(policy: Record<string, unknown>, fragment: Record<string, Entry[]>): string {
  const result = structuredClone(policy);
  for (const [list, entries] of Object.entries(fragment)) {
    const before = (result[list] ?? []) as Entry[];
    for (const entry of entries) {
      const same = before.find(({ name }) => name === entry['name']);
      if (same) Object.assign(same, entry);
      else before.push(entry);
    }
    result[list] = entries.length === 0 ? [] : before;
  }
  return JSON.stringify(result);
}

test('the page is the one that the schema says', () => {
  assert.equal(page, policyPage(), 'run `npm run schema`');
});

test('every block of the page is an example, loads merged into the policy that is shipped, and is warned of nothing', (t) => {
  const examples = [...page.matchAll(/^### ([A-Z].*)\n\n```json\n([\s\S]*?)\n```$/gm)];
  assert.equal(examples.length, 11);
  assert.equal(blocksOf(page).length, examples.length);
  t.diagnostic(`infra/POLICY.md: ${examples.length} blocks, all loaded`);
  for (const [, wish, text] of examples) {
    const policy = loadPolicy(merged(JSON.parse(infra('policy.json')), JSON.parse(String(text))));
    assert.deepEqual(policyWarnings(policy), [], wish);
  }
});

test('every member has a description and an example, or members of its own', () => {
  const undescribed: string[] = [];
  const walk = (path: string, node: Record<string, unknown>): void => {
    for (const [name, member] of Object.entries((node['properties'] ?? {}) as Record<string, Entry>)) {
      const at = `${path}.${name}`;
      const isGroup = member['properties'] ?? member['items'] ?? member['oneOf'];
      if (member['const'] === undefined && !member['description']) undescribed.push(at);
      if (member['const'] === undefined && !isGroup && !member['examples'])
        undescribed.push(`${at} (example)`);
      walk(at, member);
    }
    if (node['items']) walk(`${path}[]`, node['items'] as Entry);
    for (const option of (node['oneOf'] ?? []) as Entry[]) walk(path, option);
  };
  walk('', z.toJSONSchema(policySchema, { io: 'input' }) as Entry);
  assert.deepEqual(undescribed, []);
});

test('the app roles and scopes that are known are those of the registration', () => {
  const [, manifest = ''] = /MANIFEST='(\{[\s\S]*?\n\})'/.exec(infra('app-registration.sh')) ?? [];
  const { api, appRoles } = JSON.parse(manifest);
  const roles = appRoles.map((role: { value: string; allowedMemberTypes: string[] }) => [
    role.value,
    role.allowedMemberTypes,
  ]);
  assert.deepEqual([...APP_ROLES], roles);
  assert.deepEqual(
    SCOPES,
    api.oauth2PermissionScopes.map(({ value }: { value: string }) => value),
  );
});

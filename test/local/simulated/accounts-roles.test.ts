import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { allows, type Role, type RoleAssignment, roles } from '../../../src/local/simulated/roles.ts';

const account = '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech';
const listKeys = 'Microsoft.CognitiveServices/accounts/listKeys/action';
const assigned = (role: Role, scope: string): RoleAssignment[] => [{ principalId: 'p', role, scope }];

test('the two custom roles are those that are deployed, action for action', async () => {
  const bicep = await readFile(new URL('../../../infra/role-definitions.bicep', import.meta.url), 'utf8');
  for (const role of ['AI token broker rotator', 'AI data user without keys'] as const) {
    const definition = bicep.slice(bicep.indexOf(`roleName: '${role}`));
    for (const kind of ['actions', 'dataActions'] as const) {
      const list = new RegExp(`\\b${kind}: \\[([^\\]]*)\\]`).exec(definition)?.[1] ?? '';
      const deployed = [...list.matchAll(/'([^']+)'/g)].map((match) => match[1]);
      assert.deepEqual(deployed, roles[role][kind], `${role}: ${kind}`);
    }
  }
});

test('an assignment holds at its scope and below, whatever the case, and not beside it', () => {
  const may = (scope: string) =>
    allows(assigned('AI token broker rotator', scope), 'p', 'actions', listKeys, account);
  assert.equal(may('/subscriptions/s'), true);
  assert.equal(may(account.toUpperCase()), true);
  assert.equal(may(`${account}/`), true);
  assert.equal(may(account.slice(0, -1)), false);
  assert.equal(may('/subscriptions/other'), false);
});

test('all data actions are no action: the data role does not list keys', () => {
  const data = assigned('AI data user without keys', account);
  assert.equal(allows(data, 'p', 'actions', listKeys, account), false);
  assert.equal(allows(data, 'p', 'dataActions', `${account}/OpenAI/models/read`, account), false);
  const models = 'microsoft.cognitiveservices/accounts/openai/models/read';
  assert.equal(allows(data, 'p', 'dataActions', models, account), true);
  assert.equal(allows(data, 'someone else', 'dataActions', models, account), false);
});

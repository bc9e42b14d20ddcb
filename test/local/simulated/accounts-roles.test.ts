import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows, type Role, type RoleAssignment, roles } from '../../../src/local/simulated/roles.ts';
import { unquoted } from '../../infra/bicep-syntax.ts';
import { rows } from '../../infra/roles-of.ts';

const account = '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech';
const listKeys = 'Microsoft.CognitiveServices/accounts/listKeys/action';
const assigned = (role: Role, scope: string): RoleAssignment[] => [{ principalId: 'p', role, scope }];

test('the custom roles are those that are deployed, action for action', () => {
  const deployed = rows('role-definitions.bicep', 'definitions').map((row) => {
    const list = (name: string) => row.get(name)?.namedChildren.map(unquoted) ?? [];
    return [
      unquoted(row.get('name')),
      { actions: list('actions'), dataActions: list('dataActions') },
    ] as const;
  });
  const custom = Object.entries(roles).filter(([name]) => name.startsWith('AI '));
  assert.deepEqual(Object.fromEntries(custom), Object.fromEntries(deployed));
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

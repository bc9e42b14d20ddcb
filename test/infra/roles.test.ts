import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, bicepFile, bicepFiles, declarations, infra, properties, unquoted } from './bicep-syntax.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const ALLOWED_ROLES: Record<string, string> = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6',
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7',
  speech: 'f2dc8367-1007-4938-bd23-fe263f013447',
  openai: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
};
/** Both hold `Microsoft.CognitiveServices/accounts/listkeys/action`. */
const KEY_LISTING_ROLES: Record<string, string> = {
  'Cognitive Services User': 'a97b65f3-24c7-4388-baec-2e87135dc908',
  'Azure AI User, now Foundry User': '53ca6127-db72-4b80-b1b0-d745d6d5456d',
};

const assignments = bicepFiles.flatMap((file) =>
  declarations(file, 'resource')
    .filter(({ refersTo }) => refersTo.startsWith('Microsoft.Authorization/roleAssignments@'))
    .map((declaration) => ({ file: file.name, declaration })),
);

test('roles are assigned in roles.bicep, and on other resource groups by the one module it calls', () => {
  assert.ok(assignments.length >= 8);
  const files = new Set(assignments.map(({ file }) => file));
  assert.deepEqual(files, new Set(['roles.bicep', 'account-role.bicep']));
  for (const file of bicepFiles)
    for (const { refersTo } of declarations(file, 'module'))
      assert.ok(refersTo !== 'account-role.bicep' || file.name === 'roles.bicep', file.name);
});

test('no built-in role is given beyond the listed ones, and never one that lists keys', () => {
  const guid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
  const used = bicepFiles.flatMap(({ text }) => text.toLowerCase().match(guid) ?? []);
  assert.deepEqual(new Set(used), new Set(Object.values(ALLOWED_ROLES)));
  for (const file of readdirSync(infra))
    for (const [name, id] of Object.entries(KEY_LISTING_ROLES))
      assert.ok(!readFileSync(join(infra, file), 'utf8').toLowerCase().includes(id), `${file}: ${name}`);
});

test('every name of a role stands for the GUID of that role', () => {
  const named = declarations(bicepFile('roles.bicep'), 'variable')
    .filter(({ name }) => name === 'builtIn' || name === 'dataRoles')
    .flatMap(({ body }) => (body ? [...properties(body)] : []))
    .filter(([name]) => name !== 'data')
    .map(([name, value]) => [name, unquoted(value)]);
  assert.deepEqual(Object.fromEntries(named), ALLOWED_ROLES);
});

test('an assignment has a name that stays the same and a scope narrower than the resource group', () => {
  for (const { declaration } of assignments) {
    assert.match(declaration.at('name')?.text ?? '', /^guid\(\w+\.id, /);
    assert.ok(declaration.at('scope'), `${declaration.name} has no scope`);
    assert.ok(declaration.at('properties', 'principalType'), declaration.name);
  }
});

test('every assignment is one of these: who, what role, on what', () => {
  const given = assignments
    .filter(({ file }) => file === 'roles.bicep')
    .map(({ declaration }) => {
      const role = declaration.at('properties', 'roleDefinitionId')?.text ?? '';
      const who = declaration.at('properties', 'principalId')?.text ?? '';
      return `${who} ${/, (?:builtIn\.)?(\w+)\)$/.exec(role)?.[1]} ${declaration.at('scope')?.text}`;
    });
  assert.deepEqual(given.sort(), [
    'principalIds.issuer keyVaultSecretsUser vault',
    'principalIds.issuer monitoringMetricsPublisher component',
    'principalIds.issuer storageBlobDataOwner storage',
    'principalIds.issuer storageTableDataContributor storage',
    'principalIds.rotator rotatorRoleName vault',
    'principalIds[writer] storageBlobDataContributor deadLetters',
    'publisher eventGridDataSender topic',
  ]);
});

test('the name of an assignment tells its scope, holder and role, so no two have one name', () => {
  for (const { file, declaration } of assignments.filter(({ file }) => file === 'roles.bicep')) {
    const [, scope, who, role] =
      /^guid\((\w+)\.id, '?(\w+)'?, ([\w.]+)\)$/.exec(declaration.at('name')?.text ?? '') ?? [];
    const where = `${file}: ${declaration.name}`;
    assert.equal(declaration.at('scope')?.text, scope, where);
    assert.ok(declaration.at('properties', 'roleDefinitionId')?.text.endsWith(`, ${role})`), where);
    assert.match(declaration.at('properties', 'principalId')?.text ?? '', new RegExp(`\\b${who}\\b`), where);
  }
});

test('on an AI account the rotator role goes to rotated accounts only, and the others to whom the grant names', () => {
  const [rotator, users] = ['rotatorKeys', 'accountUsers'].map(
    (name) =>
      declarations(bicepFile('roles.bicep'), 'module').find((module) => module.name === name) ??
      assert.fail(),
  );
  assert.ok(rotator?.node.text.includes('for account in filter(accounts, item => item.rotated):'));
  assert.equal(rotator?.at('params', 'roleName')?.text, 'rotatorRoleName');
  assert.equal(rotator?.at('params', 'principalId')?.text, 'principalIds.rotator');
  assert.equal(users?.at('params', 'roleName')?.text, 'dataRoles[grant.role]');
  assert.equal(
    users?.at('params', 'principalType')?.text,
    "grant.to == 'group' ? 'Group' : 'ServicePrincipal'",
  );
  assert.match(
    users?.at('params', 'principalId')?.text.replace(/\s+/g, ' ') ?? '',
    /^grant\.to == 'application' \? principalIds\.application : grant\.to == 'systemAssigned' \? principalIds\.systemAssigned : grant\.principalId$/,
  );
});

test('the custom roles hold exactly what they need', () => {
  const roles = declarations(bicepFile('role-definitions.bicep'), 'resource');
  const permissions = Object.fromEntries(
    roles.map((role) => {
      const permission = all(role.at('properties', 'permissions') ?? assert.fail(), 'object')[0];
      const lists = properties(permission ?? assert.fail());
      const list = (name: string) => lists.get(name)?.namedChildren.map(unquoted) ?? [];
      return [role.name, { actions: list('actions'), dataActions: list('dataActions') }];
    }),
  );
  assert.deepEqual(permissions, {
    rotator: {
      actions: [
        'Microsoft.CognitiveServices/accounts/read',
        'Microsoft.CognitiveServices/accounts/listKeys/action',
        'Microsoft.CognitiveServices/accounts/regenerateKey/action',
      ],
      dataActions: [
        'Microsoft.KeyVault/vaults/secrets/getSecret/action',
        'Microsoft.KeyVault/vaults/secrets/setSecret/action',
        'Microsoft.KeyVault/vaults/secrets/readMetadata/action',
        'Microsoft.KeyVault/vaults/secrets/update/action',
      ],
    },
    dataUser: { actions: [], dataActions: ['Microsoft.CognitiveServices/*'] },
  });
});

/** What the workflows may do in Azure: exactly what the deployment needs, compared with the Bicep both ways. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, bicepFile, bicepFiles, declarations, infra, properties, unquoted } from './bicep-syntax.ts';
import { BUILT_IN_ROLES } from './built-in-roles.ts';
import { rolesOf, rows } from './roles-of.ts';

const variable = (file: string, name: string) =>
  declarations(bicepFile(file), 'variable').find((one) => one.name === name) ??
  assert.fail(`${file}: ${name}`);
/** An object of roles by name; of a custom role what stands there is `roleNames.x`. */
const rolesIn = (name: string, file = 'pipeline.bicep'): Map<string, string> =>
  new Map(
    [...properties(variable(file, name).body ?? assert.fail(name))].map(([key, { text }]) => [key, text]),
  );
const actionsOf = (role: string): string[] =>
  all(
    rows('pipeline-roles.bicep', 'definitions')
      .find((row) => row.get('id')?.text === `roleNames.${role}`)
      ?.get('actions') ?? assert.fail(role),
    'string',
  ).map(unquoted);

/** What main.bicep and subscriptions.bicep make, by resource type. */
const made = new Set(
  bicepFiles
    .filter(({ name }) => !name.startsWith('pipeline'))
    .flatMap((file) => declarations(file, 'resource'))
    .filter(({ isExisting }) => !isExisting)
    .map(({ refersTo }) =>
      refersTo.replace(/@.*/, '').replace('Microsoft.Resources/', 'Microsoft.Resources/subscriptions/'),
    ),
);

/** What the deployer role holds beside reading and writing those, each with the reason. */
const BESIDE: Readonly<Record<string, string>> = {
  'Microsoft.Authorization/*/read': 'the hook waits for the age of the roles',
  'Microsoft.EventGrid/eventSubscriptions/write': 'asked of the vault, whose events a topic tells',
  'Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/action': 'a private endpoint of the vault',
  'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action': 'an app carries them',
  'Microsoft.Network/privateDnsZones/join/action': 'an endpoint writes its name there',
  'Microsoft.Network/virtualNetworks/join/action': 'a zone is linked to it',
  'Microsoft.Network/virtualNetworks/subnets/join/action': 'an app or an endpoint is in it',
  'Microsoft.Network/virtualNetworks/subnets/read': 'a part of the network',
  'Microsoft.Network/virtualNetworks/subnets/write': 'a part of the network',
  'Microsoft.OperationalInsights/workspaces/sharedKeys/action': 'asked of whoever makes a diagnostic setting',
  'Microsoft.Resources/deployments/operations/read': 'each module is a deployment',
  'Microsoft.Resources/deployments/operationstatuses/read': 'each module is a deployment',
  'Microsoft.Resources/deployments/read': 'each module is a deployment',
  'Microsoft.Resources/deployments/validate/action': 'each module is a deployment',
  'Microsoft.Resources/deployments/write': 'each module is a deployment',
  'Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action':
    'private endpoints of the storage',
  'Microsoft.Web/serverfarms/join/action': 'an app is in its plan',
  'Microsoft.Web/sites/config/list/action': 'azd and the template read the settings that they write',
  'Microsoft.Web/sites/deployments/read': 'azd follows the deployment of a package',
  'Microsoft.Web/sites/functions/read': 'the hook compares them with what was built',
  'Microsoft.Web/sites/operationresults/read': 'a change of an app takes a while',
  'Microsoft.Web/sites/publish/action': 'a package is sent with it',
};

test('the pipeline reads and writes each kind of resource that is deployed, and holds nothing else without a reason', () => {
  const needed = [...made].filter((type) => !type.startsWith('Microsoft.Authorization/'));
  assert.ok(needed.length > 25);
  const wanted = needed.flatMap((type) => [`${type}/read`, `${type}/write`]);
  assert.deepEqual(actionsOf('deployer').toSorted(), [...wanted, ...Object.keys(BESIDE)].toSorted());
});

test('no role of the pipeline deletes, writes a role or a lock, or lists keys; what answers a pull request only reads', () => {
  for (const role of ['deployer', 'deployments', 'whatIf'])
    for (const action of actionsOf(role)) {
      assert.doesNotMatch(action, /\/delete$|listKeys|regenerateKey|purge/i, role);
      assert.doesNotMatch(action, /^Microsoft\.Authorization\/.*(write|action)$/, role);
      assert.ok(action === '*/read' || !/^\*|\*$/.test(action), `${role}: ${action}`);
    }
  assert.deepEqual(actionsOf('whatIf'), ['*/read', 'Microsoft.Resources/deployments/whatIf/action']);
});

test('the condition names the roles that the deployment assigns in its group, and no other', () => {
  const roles = rolesIn('rolesInGroup');
  const onTopics = rolesIn('builtIn', 'event-roles.bicep').keys();
  const inGroup = rolesOf()
    .filter(({ scope }) => scope !== 'account')
    .map(({ role }) => role);
  assert.deepEqual([...roles.keys()].toSorted(), [...new Set([...inGroup, ...onTopics])].toSorted());
  for (const [name, value] of roles)
    assert.ok([`roleNames.${name}`, `'${BUILT_IN_ROLES[name]?.id}'`].includes(value), `${name}: ${value}`);
});

test('on an account the condition names the roles of grants and of the rotator, and no other', () => {
  const roles = rolesIn('rolesOnAccounts');
  const granted = rolesIn('dataRoles', 'grants.bicep');
  assert.equal(granted.get('data'), 'dataRoleName');
  const onAccount = rolesOf()
    .filter(({ scope }) => scope === 'account')
    .map(({ role }) => [role, `roleNames.${role}`]);
  assert.deepEqual(
    roles,
    new Map([
      ...onAccount,
      ['data', 'roleNames.data'],
      ['speech', granted.get('speech')],
      ['openai', granted.get('openai')],
    ] as [string, string][]),
  );
});

test('the pipeline’s custom roles are those of the broker, under the same names', () => {
  for (const name of ['roleNames', 'unique', 'prefix'])
    assert.equal(
      variable('pipeline.bicep', name).node.text.replace(/^@description\(.*\)\n/, ''),
      variable('main.bicep', name).node.text.replace(/^@description\(.*\)\n/, ''),
    );
  const moduleOf = (file: string) =>
    declarations(bicepFile(file), 'module').find(({ refersTo }) => refersTo === 'role-definitions.bicep');
  for (const parameter of ['suffix', 'roleNames'])
    assert.equal(
      moduleOf('pipeline.bicep')?.at('params', parameter)?.text,
      moduleOf('main.bicep')?.at('params', parameter)?.text,
    );
});

test('role administration is given under the condition alone, in the broker’s group and on its accounts, never at the subscription', () => {
  const administrations = bicepFiles.flatMap((file) =>
    declarations(file, 'resource')
      .filter(({ node }) => node.text.includes('roleAdministrator)'))
      .map((declaration) => ({ file: file.name, declaration })),
  );
  assert.deepEqual(
    administrations.map(({ file, declaration }) => [
      file,
      declaration.at('scope')?.text,
      declaration.at('properties', 'condition')?.text,
      declaration.at('properties', 'conditionVersion')?.text,
    ]),
    [
      [
        'pipeline-account.bicep',
        'account',
        "onlyThese(assignableRoles, ['ServicePrincipal', 'Group'])",
        "'2.0'",
      ],
      ['pipeline-group.bicep', undefined, "onlyThese(assignableRoles, ['ServicePrincipal'])", "'2.0'"],
    ],
  );
  for (const { name, text } of bicepFiles)
    if (name !== 'pipeline-condition.bicep')
      assert.ok(!text.includes('f58310d9-a9f6-439a-9e8d-f62e7b41a168'), name);
  const condition = bicepFile('pipeline-condition.bicep').text;
  assert.match(condition, /onlyOf\('write', 'Request', .*onlyOf\('delete', 'Resource', /);
});

test('each identity of the pipeline believes one subject: the environment that deploys, and a pull request', () => {
  const trusts = declarations(bicepFile('pipeline-identities.bicep'), 'resource').filter(({ refersTo }) =>
    refersTo.includes('federatedIdentityCredentials@'),
  );
  assert.deepEqual(
    trusts.map((trust) => `${trust.at('parent')?.text} ${unquoted(trust.at('properties', 'subject'))}`),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Bicep's
    ['deploy repo:${repository}:environment:${environmentName}', 'whatIf repo:${repository}:pull_request'],
  );
});

test('the pipeline does not make the custom roles, and main.bicep can do without', () => {
  assert.match(
    bicepFile('main.bicep').text,
    /^module roleDefinitions 'role-definitions\.bicep' = if \(makeCustomRoles\) \{$/m,
  );
  assert.ok(!actionsOf('deployer').some((action) => /roleDefinitions\/write/.test(action)));
  const promote = readFileSync(join(infra, '../.github/workflows/promote.yml'), 'utf8');
  assert.match(promote, /BROKER_MAKE_CUSTOM_ROLES: 'false'/);
});

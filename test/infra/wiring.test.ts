/** What compiles either way and is right in one only: which identity, which URL, which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bicepFile, type Declaration, declarations, unquoted } from './bicep-syntax.ts';

/** File, type of resource (or module), property, what it must be. */
const MUST_BE: readonly [file: string, what: string, path: string, text: string][] = [
  ['app.bicep', 'Microsoft.Web/serverfarms', 'properties zoneRedundant', 'settings.zoneRedundant'],
  ['app.bicep', 'Microsoft.Web/sites', 'properties siteConfig cors allowedOrigins', '[]'],
  ['app.bicep', 'Microsoft.Web/sites', 'properties siteConfig cors supportCredentials', 'false'],
  [
    'app.bicep',
    'Microsoft.Web/sites',
    'properties siteConfig ipSecurityRestrictions',
    'empty(settings.frontDoorId) ? [] : behindFrontDoor',
  ],
  [
    'app.bicep',
    'Microsoft.Web/sites',
    'properties siteConfig ipSecurityRestrictionsDefaultAction',
    "empty(settings.frontDoorId) ? 'Allow' : 'Deny'",
  ],
  ['app.bicep', 'Microsoft.Web/sites', 'properties functionsRuntimeAdminIsolationEnabled', 'true'],
  [
    'app.bicep',
    'Microsoft.Web/sites',
    'properties functionAppConfig scaleAndConcurrency triggers http perInstanceConcurrency',
    '100',
  ],
  ...[
    ['AzureWebJobsStorage__blobServiceUri', 'blobUrl'],
    ['AzureWebJobsStorage__queueServiceUri', 'queueUrl'],
    ['AzureWebJobsStorage__tableServiceUri', 'tableUrl'],
    ['AzureWebJobsStorage__credential', "'managedidentity'"],
    ['AzureWebJobsStorage__clientId', 'issuerClientId'],
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'telemetryConnection'],
    ['BROKER_TENANT_ID', 'tenant().tenantId'],
    ['BROKER_CLIENT_ID', 'brokerClientId'],
    ['BROKER_ACCEPT_V1', "'false'"],
    ['BROKER_CORS_ORIGINS', "join(settings.corsOrigins, ' ')"],
    ['BROKER_KEY_VAULT_URL', 'vaultUrl'],
    ['BROKER_TABLES_URL', 'tableUrl'],
    ['BROKER_ISSUER_IDENTITY', 'issuerClientId'],
    ['BROKER_ROTATOR_IDENTITY', 'rotatorClientId'],
  ].map(([name, text]): [string, string, string, string] => [
    'app.bicep',
    'Microsoft.Web/sites/config',
    `properties ${name}`,
    text ?? '',
  ]),
  [
    'app.bicep',
    'Microsoft.Web/sites',
    'properties functionAppConfig deployment storage authentication userAssignedIdentityResourceId',
    'issuerId',
  ],
  [
    'storage.bicep',
    'Microsoft.Storage/storageAccounts',
    'sku name',
    "zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'",
  ],
  [
    'vault.bicep',
    'Microsoft.KeyVault/vaults',
    'properties publicNetworkAccess',
    "privateNetwork ? 'Disabled' : 'Enabled'",
  ],
  ['events.bicep', 'Microsoft.EventGrid/topics', 'properties inputSchema', "'CloudEventSchemaV1_0'"],
  ['main.bicep', 'alerts.bicep', 'dependsOn', '[\n    events\n  ]'],
  ['main.bicep', 'roles.bicep', 'params rotatorRoleName', 'customRoles.rotator'],
  ['main.bicep', 'roles.bicep', 'params dataRoleName', 'customRoles.data'],
  ['main.bicep', 'role-definitions.bicep', 'params rotatorRoleName', 'customRoles.rotator'],
  ['main.bicep', 'role-definitions.bicep', 'params dataRoleName', 'customRoles.data'],
  [
    'main.bicep',
    'roles.bicep',
    'params deadLetterWriters',
    "settings.activityEvents ? ['topic', 'vaultTopic', 'activityTopic'] : ['topic', 'vaultTopic']",
  ],
  ...['issuer', 'rotator'].flatMap((who): [string, string, string, string][] => [
    ['main.bicep', 'roles.bicep', `params principalIds ${who}`, `identities.outputs.${who}PrincipalId`],
    ['main.bicep', 'app.bicep', `params ${who}Id`, `identities.outputs.${who}Id`],
    ['main.bicep', 'app.bicep', `params ${who}ClientId`, `identities.outputs.${who}ClientId`],
  ]),
  ...['blobUrl', 'queueUrl', 'tableUrl'].map((url): [string, string, string, string] => [
    'main.bicep',
    'app.bicep',
    `params ${url}`,
    `storage.outputs.${url}`,
  ]),
];

test('every identity, URL and option goes to the place that it is for', () => {
  for (const [file, what, path, text] of MUST_BE)
    assert.equal(only(file, what).at(...path.split(' '))?.text, text, `${file}: ${what} ${path}`);
  const settings = only('app.bicep', 'Microsoft.Web/sites/config').at('properties')?.text ?? '';
  assert.match(settings, /_AUTHENTICATION_STRING: 'ClientId=\$\{issuerClientId\};Authorization=AAD'\n/);
});

test('an output of an identity or a storage service is that of its name', () => {
  const outputs = (file: string): string[] =>
    declarations(bicepFile(file), 'output').map(
      ({ name, node }) => `${name} ${node.text.split(' = ').at(-1)}`,
    );
  assert.deepEqual(outputs('identities.bicep'), [
    'issuerId issuer.id',
    'issuerClientId issuer.properties.clientId',
    'issuerPrincipalId issuer.properties.principalId',
    'rotatorId rotator.id',
    'rotatorClientId rotator.properties.clientId',
    'rotatorPrincipalId rotator.properties.principalId',
  ]);
  assert.deepEqual(outputs('storage.bicep'), [
    'blobUrl storage.properties.primaryEndpoints.blob',
    'queueUrl storage.properties.primaryEndpoints.queue',
    'tableUrl storage.properties.primaryEndpoints.table',
  ]);
});

test('nothing can be published with a password, and no blob read without a token', () => {
  const policies = all('app.bicep', 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
  assert.deepEqual(
    policies.map((policy) => `${unquoted(policy.at('name'))} ${policy.at('properties', 'allow')?.text}`),
    ['scm false', 'ftp false'],
  );
  for (const container of all('storage.bicep', 'Microsoft.Storage/storageAccounts/blobServices/containers'))
    assert.equal(container.at('properties', 'publicAccess')?.text, "'None'");
});

test('the settings are one resource: a second list in the site would undo it', () => {
  assert.equal(
    only('app.bicep', 'Microsoft.Web/sites').at('properties', 'siteConfig', 'appSettings'),
    undefined,
  );
});

test('the topic of the Activity Log is one of a subscription, which is nowhere', () => {
  const [topic] = all('events.bicep', 'Microsoft.EventGrid/systemTopics').filter(
    ({ name }) => name === 'activityTopic',
  );
  assert.equal(topic?.at('location')?.text, "'global'");
  assert.equal(topic?.at('properties', 'topicType')?.text, "'Microsoft.Resources.Subscriptions'");
  assert.equal(topic?.at('properties', 'source')?.text, 'subscription().id');
});

test('an event is delivered alone, dead-lettered with the topic’s own identity, and tells of every change of keys', () => {
  const { text } = bicepFile('subscriptions.bicep');
  assert.match(text, /maxEventsPerBatch: 1\n/);
  assert.match(text, /var deadLetters = \{\n {2}identity: \{\n {4}type: 'SystemAssigned'/);
  for (const operation of ['regenerateKey/action', 'write', 'delete'])
    assert.ok(text.includes(`'Microsoft.CognitiveServices/accounts/${operation}'`), operation);
});

test('the subnet of the app is one that Flex Consumption takes, and each private zone is the service’s', () => {
  const { text } = bicepFile('network.bicep');
  assert.match(text, /serviceName: 'Microsoft\.App\/environments'/);
  for (const service of ['blob', 'table'])
    assert.match(
      text,
      new RegExp(`zone: 'privatelink\\.${service}\\.\\$\\{environment\\(\\)\\.suffixes\\.storage\\}'`),
    );
  const storage = only('storage.bicep', 'Microsoft.Storage/storageAccounts');
  assert.equal(
    storage.at('properties', 'networkAcls', 'defaultAction')?.text,
    "privateNetwork ? 'Deny' : 'Allow'",
  );
});

test('a name stays one that Azure accepts, and unique in the world, however long the environment’s', () => {
  const unique = 'a4a6hbul6qpt4';
  const names = declarations(bicepFile('main.bicep'), 'variable').find(({ name }) => name === 'names');
  const nameOf = (key: string, environment: string): string =>
    (names?.at(key)?.text ?? '')
      .replaceAll(/\$\{prefix\}/g, `broker-${environment}`)
      .replaceAll(/\$\{take\(unique, 6\)\}/g, unique.slice(0, 6))
      .replaceAll(/\$\{unique\}/g, unique)
      .replaceAll(/\$\{environmentName\}/g, environment)
      .replaceAll(/\$\{replace\(environmentName, '-', ''\)\}/g, environment.replaceAll('-', ''))
      .replace(/^take\('(.*)', 24\)$/, (_, text: string) => text.slice(0, 24))
      .replaceAll("'", '');
  for (const environment of ['de', 'prod-weu', 'abcdefghij-k', 'abcdefghijkl']) {
    assert.match(nameOf('vault', environment), /^[a-z](?:-?[a-z0-9]){2,23}$/);
    assert.ok(nameOf('vault', environment).length <= 24);
    assert.match(nameOf('storage', environment), /^[a-z0-9]{3,24}$/);
    assert.match(nameOf('app', environment), /^[a-z0-9-]{2,60}$/);
    assert.match(nameOf('topic', environment), /^[a-z0-9-]{3,50}$/);
    for (const key of ['vault', 'storage', 'app', 'topic'])
      assert.ok(nameOf(key, environment).includes(unique.slice(0, 6)), `${key} of ${environment}`);
  }
});

function all(file: string, what: string): Declaration[] {
  return [...declarations(bicepFile(file), 'resource'), ...declarations(bicepFile(file), 'module')].filter(
    ({ refersTo, isExisting }) => (refersTo.split('@')[0] ?? '') === what && !isExisting,
  );
}

function only(file: string, what: string): Declaration {
  const found = all(file, what);
  assert.equal(found.length, 1, `${file}: ${what}`);
  return found[0] ?? assert.fail();
}

/** What compiles either way and is right in one only: which identity, which URL, which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bicepFile, type Declaration, declarations, unquoted } from './bicep-syntax.ts';

/** File, type of resource (or module), property, what it must be. */
const MUST_BE: readonly [file: string, what: string, path: string, text: string][] = [
  ['app.bicep', 'Microsoft.Web/serverfarms', 'properties zoneRedundant', 'zoneRedundant'],
  ['app.bicep', 'Microsoft.Web/sites', 'properties siteConfig cors allowedOrigins', '[]'],
  ['app.bicep', 'Microsoft.Web/sites', 'properties siteConfig cors supportCredentials', 'false'],
  ['issuer.bicep', 'app.bicep', 'params callers', 'empty(settings.frontDoorId) ? [] : behindFrontDoor'],
  ['issuer.bicep', 'app.bicep', 'params otherCallers', "empty(settings.frontDoorId) ? 'Allow' : 'Deny'"],
  ['issuer.bicep', 'app.bicep', 'params instances httpConcurrency', '100'],
  ['issuer.bicep', 'app.bicep', 'params service', "'issuer'"],
  ['rotator.bicep', 'app.bicep', 'params service', "'rotator'"],
  ['rotator.bicep', 'app.bicep', 'params instances instanceMemoryMB', '512'],
  ...['issuer.bicep', 'rotator.bicep']
    .flatMap((file) =>
      [
        ['AzureWebJobsStorage__blobServiceUri', 'host.blobUrl'],
        ['AzureWebJobsStorage__queueServiceUri', 'host.queueUrl'],
        ['AzureWebJobsStorage__tableServiceUri', 'host.tableUrl'],
        ['AzureWebJobsStorage__credential', "'managedidentity'"],
        ['AzureWebJobsStorage__clientId', 'identity.clientId'],
        ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'urls.telemetry'],
        ['BROKER_TENANT_ID', 'tenant().tenantId'],
        ['BROKER_KEY_VAULT_URL', 'urls.vault'],
        ['BROKER_TABLES_URL', 'urls.tables'],
        ['BROKER_BLOBS_URL', 'urls.blobs'],
      ].map((pair): [string, string, string[]] => [file, 'Microsoft.Web/sites/config', pair]),
    )
    .map(([file, what, [name, text = '']]): [string, string, string, string] => [
      file,
      what,
      `properties ${name}`,
      text,
    ]),
  ...[
    ['BROKER_CLIENT_ID', 'brokerClientId'],
    ['BROKER_ACCEPT_V1', "'false'"],
    ['BROKER_CONSOLE_CLIENT_ID', 'consoleClientId'],
    ['BROKER_CONSOLE_AUTHORITY', 'cloud.authority'],
    ['BROKER_CORS_ORIGINS', "join(settings.corsOrigins, ' ')"],
    ['BROKER_QUEUES_URL', 'urls.queues'],
    ['BROKER_ISSUER_IDENTITY', 'identity.clientId'],
  ].map(([name, text]): [string, string, string, string] => [
    'issuer.bicep',
    'Microsoft.Web/sites/config',
    `properties ${name}`,
    text ?? '',
  ]),
  ['rotator.bicep', 'Microsoft.Web/sites/config', 'properties BROKER_ROTATOR_IDENTITY', 'identity.clientId'],
  [
    'rotator.bicep',
    'Microsoft.Web/sites/config',
    'properties BROKER_HAND_BACK',
    "handBack ? 'true' : 'false'",
  ],
  [
    'rotator.bicep',
    'Microsoft.Web/sites/config',
    'properties BROKER_AUDIT_DAYS',
    'string(settings.auditDays)',
  ],
  ['rotator.bicep', 'Microsoft.Web/sites/config', 'properties BROKER_HOLD_FROM', 'settings.auditHoldFrom'],
  [
    'app.bicep',
    'Microsoft.Web/sites',
    'properties functionAppConfig deployment storage authentication userAssignedIdentityResourceId',
    'identityId',
  ],
  [
    'app.bicep',
    'Microsoft.Web/sites',
    'properties functionAppConfig deployment storage value',
    'host.packagesUrl',
  ],
  ...['storage.bicep', 'host-storage.bicep'].map((file): [string, string, string, string] => [
    file,
    'Microsoft.Storage/storageAccounts',
    'sku name',
    "zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'",
  ]),
  [
    'vault.bicep',
    'Microsoft.KeyVault/vaults',
    'properties publicNetworkAccess',
    "privateNetwork ? 'Disabled' : 'Enabled'",
  ],
  ['events.bicep', 'Microsoft.EventGrid/topics', 'properties inputSchema', "'CloudEventSchemaV1_0'"],
  [
    'monitoring.bicep',
    'Microsoft.Insights/workbooks',
    'properties serializedData',
    "replace(loadTextContent('workbook.json'), 'COMPONENT', component.id)",
  ],
  // Azure takes a GUID alone for the name, and another one would be a second workbook.
  ['monitoring.bicep', 'Microsoft.Insights/workbooks', 'name', "guid(component.id, 'workbook')"],
  ['monitoring.bicep', 'Microsoft.Insights/workbooks', 'properties sourceId', 'component.id'],
  ['main.bicep', 'alerts.bicep', 'dependsOn', '[\n    events\n  ]'],
  ['main.bicep', 'roles.bicep', 'params roleNames', 'roleNames'],
  ['main.bicep', 'role-definitions.bicep', 'params roleNames', 'roleNames'],
  ['main.bicep', 'grants.bicep', 'params dataRoleName', 'roleNames.data'],
  ['main.bicep', 'grants.bicep', 'params systemAssignedId', 'issuer.outputs.systemPrincipalId'],
  ['main.bicep', 'grants.bicep', 'params applicationId', 'brokerPrincipalId'],
  ...['issuer', 'rotator'].flatMap((who): [string, string, string, string][] => [
    ['main.bicep', 'roles.bicep', `params principalIds ${who}`, `identities.outputs.${who}.principalId`],
    ['main.bicep', 'roles.bicep', `params ${who}StorageName`, `names.${who}Storage`],
    ['main.bicep', 'network.bicep', `params ${who}StorageName`, `names.${who}Storage`],
    ['main.bicep', `${who}.bicep`, 'params identity', `identities.outputs.${who}`],
    ['main.bicep', `${who}.bicep`, 'params host', `${who}Host.outputs.host`],
    ['main.bicep', `${who}.bicep`, 'params appName', `names.${who}App`],
    ['main.bicep', `${who}.bicep`, 'params subnetId', `network.?outputs.${who}SubnetId ?? ''`],
  ]),
];

test('every identity, URL and option goes to the place that it is for', () => {
  for (const [file, what, path, text] of MUST_BE)
    assert.equal(only(file, what).at(...path.split(' '))?.text, text, `${file}: ${what} ${path}`);
  for (const app of ['issuer.bicep', 'rotator.bicep']) {
    const settings = only(app, 'Microsoft.Web/sites/config').at('properties')?.text ?? '';
    assert.match(settings, /_AUTHENTICATION_STRING: 'ClientId=\$\{identity\.clientId\};Authorization=AAD'\n/);
  }
});

test('an output of an identity or a storage service is that of its name', () => {
  const outputs = (file: string): string[] =>
    declarations(bicepFile(file), 'output').map(
      ({ name, node }) => `${name} ${node.text.slice(node.text.indexOf(' = ') + 3).replace(/\s+/g, ' ')}`,
    );
  assert.deepEqual(
    outputs('identities.bicep'),
    ['issuer', 'rotator'].map(
      (who) =>
        `${who} { id: ${who}Identity.id clientId: ${who}Identity.properties.clientId principalId: ${who}Identity.properties.principalId }`,
    ),
  );
  assert.deepEqual(outputs('storage.bicep'), [
    'storageId storage.id',
    'blobUrl storage.properties.primaryEndpoints.blob',
    'queueUrl storage.properties.primaryEndpoints.queue',
    'tableUrl storage.properties.primaryEndpoints.table',
  ]);
  assert.match(
    outputs('host-storage.bicep').join('\n'),
    /blobUrl: \S+\.blob queueUrl: \S+\.queue tableUrl: \S+\.table/,
  );
});

test('what both apps work with is each the service’s of its name', () => {
  const urls = declarations(bicepFile('main.bicep'), 'variable').find(({ name }) => name === 'urls');
  assert.equal(urls?.at('tables')?.text, 'storage.outputs.tableUrl');
  assert.equal(urls?.at('queues')?.text, 'storage.outputs.queueUrl');
  assert.equal(urls?.at('blobs')?.text, 'storage.outputs.blobUrl');
  assert.equal(urls?.at('vault')?.text, 'vault.outputs.vaultUrl');
});

test('nothing can be published with a password, and no blob read without a token', () => {
  const policies = all('app.bicep', 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
  assert.deepEqual(
    policies.map((policy) => `${unquoted(policy.at('name'))} ${policy.at('properties', 'allow')?.text}`),
    ['scm false', 'ftp false'],
  );
  for (const file of ['storage.bicep', 'host-storage.bicep'])
    for (const container of all(file, 'Microsoft.Storage/storageAccounts/blobServices/containers'))
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
  for (const part of ['deadLetters', 'queue'])
    assert.match(text, new RegExp(`var ${part} = \\{\\n {2}identity: \\{\\n {4}type: 'SystemAssigned'`));
  for (const operation of ['regenerateKey/action', 'write', 'delete'])
    assert.ok(
      bicepFile('activity-subscription.bicep').text.includes(
        `'Microsoft.CognitiveServices/accounts/${operation}'`,
      ),
      operation,
    );
});

test('the subnets of the apps are ones that Flex Consumption takes, and each private zone is the service’s, made once', () => {
  const { text } = bicepFile('network.bicep');
  assert.match(text, /serviceName: 'Microsoft\.App\/environments'/);
  assert.equal(text.match(/delegations: flexDelegations/g)?.length, 2);
  for (const service of ['blob', 'queue', 'table'])
    assert.match(
      text,
      new RegExp(`${service}: 'privatelink\\.${service}\\.\\$\\{environment\\(\\)\\.suffixes\\.storage\\}'`),
    );
  assert.doesNotMatch(bicepFile('private-endpoint.bicep').text, /privateDnsZones@/);
  for (const file of ['storage.bicep', 'host-storage.bicep'])
    assert.equal(
      only(file, 'Microsoft.Storage/storageAccounts').at('properties', 'networkAcls', 'defaultAction')?.text,
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
      .replaceAll(/\$\{compact\}/g, environment.replaceAll('-', ''))
      .replace(/^take\('(.*)', 24\)$/, (_, text: string) => text.slice(0, 24))
      .replaceAll("'", '');
  for (const environment of ['de', 'prod-weu', 'abcdefghij-k', 'abcdefghijkl']) {
    assert.match(nameOf('vault', environment), /^[a-z](?:-?[a-z0-9]){2,23}$/);
    assert.ok(nameOf('vault', environment).length <= 24);
    for (const key of ['storage', 'issuerStorage', 'rotatorStorage'])
      assert.match(nameOf(key, environment), /^[a-z0-9]{3,24}$/);
    for (const key of ['issuerApp', 'rotatorApp'])
      assert.match(nameOf(key, environment), /^[a-z0-9-]{2,60}$/);
    assert.match(nameOf('topic', environment), /^[a-z0-9-]{3,50}$/);
    const unrepeatable = ['vault', 'storage', 'issuerStorage', 'rotatorStorage', 'issuerApp', 'topic'];
    assert.equal(new Set(unrepeatable.map((key) => nameOf(key, environment))).size, unrepeatable.length);
    for (const key of unrepeatable)
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

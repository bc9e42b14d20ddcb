import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_HOST_BODY_BYTES } from '../../src/body-limits.ts';
import { settings } from '../../src/config.ts';
import { TABLE_NAMES } from '../../src/table-names.ts';
import {
  all,
  bicepFile,
  bicepFiles,
  type Declaration,
  declarations,
  infra,
  parse,
  properties,
  unquoted,
} from './bicep-syntax.ts';

const everywhere = (kind: string): { file: string; declaration: Declaration }[] =>
  bicepFiles.flatMap((file) =>
    declarations(file, kind).map((declaration) => ({ file: file.name, declaration })),
  );

/** The text without comments and descriptions: what the compiler acts on. */
const code = (text: string): string =>
  text.replace(/^\s*\/\/.*$/gm, '').replace(/^\s*@description\(.*\)$/gm, '');
const allCode = bicepFiles.map(({ text }) => code(text)).join('\n');

test('every file is Bicep without a syntax error', () => {
  assert.ok(bicepFiles.length >= 10);
  for (const { name, root } of bicepFiles) assert.equal(root.hasError, false, name);
  assert.equal(parse('broken', 'param = 3').root.hasError, true);
});

test('every module is given the parameters it declares, no more and no less than it needs', () => {
  const modules = everywhere('module');
  assert.ok(modules.length >= 10);
  for (const { file, declaration } of modules) {
    const declared = declarations(bicepFile(declaration.refersTo), 'parameter');
    const given = properties(declaration.at('params') ?? assert.fail(`${file}: ${declaration.name}`));
    const where = `${file}: module ${declaration.name}`;
    for (const { name, isRequired } of declared)
      assert.ok(given.has(name) || !isRequired, `${where} is not given ${name}`);
    for (const name of given.keys())
      assert.ok(
        declared.some((parameter) => parameter.name === name),
        `${where} does not declare ${name}`,
      );
  }
});

test('every output that is read is one the module has', () => {
  for (const file of bicepFiles)
    for (const module of declarations(file, 'module')) {
      const outputs = declarations(bicepFile(module.refersTo), 'output').map(({ name }) => name);
      for (const [, name] of code(file.text).matchAll(
        new RegExp(`\\b${module.name}\\.\\??outputs\\.(\\w+)`, 'g'),
      ))
        assert.ok(outputs.includes(name ?? ''), `${file.name}: ${module.name} has no output ${name}`);
    }
});

test('every parameter, variable and output is described, and every parameter and variable is used', () => {
  for (const file of bicepFiles)
    for (const kind of ['parameter', 'variable', 'output', 'type'])
      for (const { name, isDescribed } of declarations(file, kind)) {
        assert.ok(isDescribed, `${file.name}: ${name} is not described`);
        const uses = code(file.text).match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
        assert.ok(kind === 'output' || kind === 'type' || uses > 1, `${file.name}: ${name} is not used`);
      }
});

test('no key of the storage account can be used, and none is ever read', () => {
  const storage = everywhere('resource').filter(
    ({ declaration }) =>
      declaration.refersTo.startsWith('Microsoft.Storage/storageAccounts@') && !declaration.isExisting,
  );
  assert.equal(storage.length, 1);
  assert.equal(storage[0]?.declaration.at('properties', 'allowSharedKeyAccess')?.text, 'false');
  assert.doesNotMatch(allCode, /listKeys\s*\(|listAccountSas|listSecrets|AccountKey=|ConnectionStringName/i);
  assert.doesNotMatch(allCode, /\bAzureWebJobsStorage:/);
});

test('no connection to the app or its services is possible below TLS 1.2 or in the clear', () => {
  const app = only('app.bicep', 'Microsoft.Web/sites@');
  assert.equal(app.at('properties', 'httpsOnly')?.text, 'true');
  assert.equal(app.at('properties', 'siteConfig', 'minTlsVersion')?.text, "'1.2'");
  const storage = only('storage.bicep', 'Microsoft.Storage/storageAccounts@');
  assert.equal(storage.at('properties', 'minimumTlsVersion')?.text, "'TLS1_2'");
  assert.equal(storage.at('properties', 'supportsHttpsTrafficOnly')?.text, 'true');
  assert.equal(storage.at('properties', 'allowBlobPublicAccess')?.text, 'false');
  const topic = only('events.bicep', 'Microsoft.EventGrid/topics@');
  assert.equal(topic.at('properties', 'minimumTlsVersionAllowed')?.text, "'1.2'");
});

test('the vault decides by roles, and nothing in it can be purged', () => {
  const vault = only('vault.bicep', 'Microsoft.KeyVault/vaults@');
  assert.equal(vault.at('properties', 'enableRbacAuthorization')?.text, 'true');
  assert.equal(vault.at('properties', 'enablePurgeProtection')?.text, 'true');
  assert.equal(vault.at('properties', 'accessPolicies'), undefined);
});

test('telemetry and the topic take Entra tokens only', () => {
  assert.equal(
    only('monitoring.bicep', 'Microsoft.Insights/components@').at('properties', 'DisableLocalAuth')?.text,
    'true',
  );
  assert.equal(
    only('events.bicep', 'Microsoft.EventGrid/topics@').at('properties', 'disableLocalAuth')?.text,
    'true',
  );
});

test('the tables are those that the app uses', () => {
  const names = declarations(bicepFile('storage.bicep'), 'variable').find(
    ({ name }) => name === 'tableNames',
  );
  const made = all(names?.node ?? assert.fail('tableNames'), 'array').flatMap((array) =>
    array.namedChildren.map(unquoted),
  );
  assert.deepEqual(made, [...TABLE_NAMES]);
});

const appSettings = (): Map<string, unknown> =>
  properties(only('app.bicep', 'Microsoft.Web/sites/config@').at('properties') ?? assert.fail('appsettings'));

test('every setting of config.ts is set, and no setting that it does not know', () => {
  const set = [...appSettings().keys()].filter((name) => name.startsWith('BROKER_'));
  assert.deepEqual(set.sort(), Object.keys(settings.shape).sort());
});

test('no setting is one that Flex Consumption forbids', () => {
  for (const name of appSettings().keys())
    assert.doesNotMatch(
      name,
      /^(FUNCTIONS_(?!REQUEST_BODY_SIZE_LIMIT$)|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsDashboard|AzureWebJobsSecretStorageType|languageWorkers|NODE_OPTIONS|AzureWebJobsStorage$)/,
    );
});

test('the host refuses larger bodies than any of ours, in Azure as in the local mode', () => {
  assert.equal(
    unquoted(appSettings().get('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT') as Parameters<typeof unquoted>[0]),
    String(MAX_HOST_BODY_BYTES),
  );
});

test('the app is Flex Consumption with Node 24, deployed and run by a user-assigned identity', () => {
  const plan = only('app.bicep', 'Microsoft.Web/serverfarms@');
  assert.equal(plan.at('sku', 'name')?.text, "'FC1'");
  assert.equal(plan.at('properties', 'reserved')?.text, 'true');
  const app = only('app.bicep', 'Microsoft.Web/sites@');
  assert.equal(app.at('kind')?.text, "'functionapp,linux'");
  const config = ['properties', 'functionAppConfig'] as const;
  assert.equal(app.at(...config, 'runtime', 'name')?.text, "'node'");
  assert.equal(app.at(...config, 'runtime', 'version')?.text, "'24'");
  assert.equal(
    app.at(...config, 'deployment', 'storage', 'authentication', 'type')?.text,
    "'UserAssignedIdentity'",
  );
});

test('every linter rule is on, as an error', () => {
  const { analyzers } = JSON.parse(readFileSync(join(infra, 'bicepconfig.json'), 'utf8'));
  const levels = Object.values<{ level: string }>(analyzers.core.rules).map(({ level }) => level);
  assert.ok(levels.length >= 53);
  assert.deepEqual(new Set(levels), new Set(['error']));
});

function only(file: string, type: string): Declaration {
  const found = declarations(bicepFile(file), 'resource').filter(
    ({ refersTo, isExisting }) => refersTo.startsWith(type) && !isExisting,
  );
  assert.equal(found.length, 1, `${file}: ${type}`);
  return found[0] ?? assert.fail();
}

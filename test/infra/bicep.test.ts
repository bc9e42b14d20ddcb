import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_HOST_BODY_BYTES } from '../../src/body-limits.ts';
import { poisonOf, QUEUE_NAMES } from '../../src/queue-names.ts';
import { issuerSettings, rotatorSettings } from '../../src/settings.ts';
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
      for (const { name, isDescribed, isExported } of declarations(file, kind)) {
        assert.ok(isDescribed, `${file.name}: ${name} is not described`);
        const where = isExported ? bicepFiles.map(({ text }) => text).join('\n') : file.text;
        const uses = code(where).match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
        assert.ok(kind === 'output' || kind === 'type' || uses > 1, `${file.name}: ${name} is not used`);
      }
});

const STORAGE_FILES = ['storage.bicep', 'host-storage.bicep'];

test('no key of a storage account can be used, and none is ever read', () => {
  const storage = everywhere('resource').filter(
    ({ declaration }) =>
      declaration.refersTo.startsWith('Microsoft.Storage/storageAccounts@') && !declaration.isExisting,
  );
  assert.deepEqual(new Set(storage.map(({ file }) => file)), new Set(STORAGE_FILES));
  for (const { declaration } of storage)
    assert.equal(declaration.at('properties', 'allowSharedKeyAccess')?.text, 'false');
  assert.doesNotMatch(allCode, /listKeys\s*\(|listAccountSas|listSecrets|AccountKey=|ConnectionStringName/i);
  assert.doesNotMatch(allCode, /\bAzureWebJobsStorage:/);
});

test('no connection to an app or its services is possible below TLS 1.2 or in the clear', () => {
  const app = only('app.bicep', 'Microsoft.Web/sites@');
  assert.equal(app.at('properties', 'httpsOnly')?.text, 'true');
  assert.equal(app.at('properties', 'siteConfig', 'minTlsVersion')?.text, "'1.2'");
  for (const file of STORAGE_FILES) {
    const storage = only(file, 'Microsoft.Storage/storageAccounts@');
    assert.equal(storage.at('properties', 'minimumTlsVersion')?.text, "'TLS1_2'");
    assert.equal(storage.at('properties', 'supportsHttpsTrafficOnly')?.text, 'true');
    assert.equal(storage.at('properties', 'allowBlobPublicAccess')?.text, 'false');
  }
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

const listed = (file: string, variable: string): string[] => {
  const found = declarations(bicepFile(file), 'variable').find(({ name }) => name === variable);
  return all(found?.node ?? assert.fail(variable), 'array').flatMap((array) =>
    array.namedChildren.map(unquoted),
  );
};

test('the tables are those that the apps use', () => {
  assert.deepEqual(listed('storage.bicep', 'tableNames'), [...TABLE_NAMES]);
});

test('every queue has the one into which the host puts what failed too often', () => {
  assert.deepEqual(
    listed('storage.bicep', 'queueNames'),
    QUEUE_NAMES.flatMap((name) => [name, poisonOf(name)]),
  );
});

const APPS = ['issuer', 'rotator'] as const;
const appSettings = (app: (typeof APPS)[number]) =>
  properties(
    only(`${app}.bicep`, 'Microsoft.Web/sites/config@').at('properties') ?? assert.fail('appsettings'),
  );

test('each app has every setting that it knows, and none that it does not', () => {
  const known = { issuer: issuerSettings, rotator: rotatorSettings };
  for (const app of APPS) {
    const set = [...appSettings(app).keys()].filter((name) => /^(BROKER_(?!QUEUES__)|OTEL_)/.test(name));
    assert.deepEqual(set.sort(), Object.keys(known[app].shape).sort());
  }
});

test('the rotator’s queue triggers have a connection without a secret', () => {
  const set = appSettings('rotator');
  assert.equal(set.get('BROKER_QUEUES__queueServiceUri')?.text, 'urls.queues');
  assert.equal(unquoted(set.get('BROKER_QUEUES__credential')), 'managedidentity');
  assert.equal(set.get('BROKER_QUEUES__clientId')?.text, 'identity.clientId');
});

test('an app is told of its own identity only', () => {
  assert.ok(!appSettings('issuer').has('BROKER_ROTATOR_IDENTITY'));
  assert.ok(!appSettings('rotator').has('BROKER_ISSUER_IDENTITY'));
  for (const app of APPS) {
    const [module] = declarations(bicepFile(`${app}.bicep`), 'module');
    assert.equal(module?.at('params', 'identityId')?.text, 'identity.id');
    assert.equal(
      declarations(bicepFile('main.bicep'), 'module')
        .find(({ name }) => name === app)
        ?.at('params', 'identity')?.text,
      `identities.outputs.${app}`,
    );
  }
});

test('nobody can call the rotator app, and its deployment site asks for Entra', () => {
  const [rotator] = declarations(bicepFile('rotator.bicep'), 'module');
  assert.equal(rotator?.at('params', 'otherCallers')?.text, "'Deny'");
  assert.equal(rotator?.at('params', 'callers')?.text, '[]');
  assert.equal(rotator?.at('params', 'carriedIds')?.text, '[identity.id]');
  assert.equal(rotator?.at('params', 'hasOwnIdentity')?.text, 'false');
  const app = only('app.bicep', 'Microsoft.Web/sites@');
  const site = ['properties', 'siteConfig'] as const;
  assert.equal(app.at(...site, 'ipSecurityRestrictionsDefaultAction')?.text, 'otherCallers');
  assert.equal(app.at(...site, 'ipSecurityRestrictions')?.text, 'callers');
  assert.equal(app.at(...site, 'scmIpSecurityRestrictionsUseMain')?.text, 'false');
});

test('no setting is one that Flex Consumption forbids', () => {
  for (const app of APPS)
    for (const name of appSettings(app).keys())
      assert.doesNotMatch(
        name,
        /^(FUNCTIONS_(?!REQUEST_BODY_SIZE_LIMIT$)|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsDashboard|AzureWebJobsSecretStorageType|languageWorkers|NODE_OPTIONS|AzureWebJobsStorage$)/,
      );
});

test('the host refuses larger bodies than any of ours, in Azure as in the local mode', () => {
  for (const app of APPS)
    assert.equal(
      unquoted(appSettings(app).get('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT')),
      String(MAX_HOST_BODY_BYTES),
    );
});

test('an instance has the memory for as many bodies at once as it may work on', () => {
  const [issuer] = declarations(bicepFile('issuer.bicep'), 'module');
  const concurrency = Number(issuer?.at('params', 'instances', 'httpConcurrency')?.text);
  // What the host and the worker hold of a body, measured: 5.3 and 6.1 times its bytes. Both idle: 240 MB.
  const heldMB = (concurrency * MAX_HOST_BODY_BYTES * 12) / 1e6 + 240;
  const [, smallestMB] = /instanceMemoryMB: (\d+) \|/.exec(bicepFile('types.bicep').text) ?? [];
  assert.ok(heldMB < Number(smallestMB) / 2, `${heldMB} MB of ${smallestMB}`);
});

test('a deployment lets executions in progress end, and nobody calls /admin from outside', () => {
  const app = only('app.bicep', 'Microsoft.Web/sites@');
  assert.equal(
    app.at('properties', 'functionAppConfig', 'siteUpdateStrategy', 'type')?.text,
    "'RollingUpdate'",
  );
  assert.equal(app.at('properties', 'functionsRuntimeAdminIsolationEnabled')?.text, 'true');
});

test('what is logged a day is bounded, and an alert that does not depend on those logs says when', () => {
  const workspace = only('monitoring.bicep', 'Microsoft.OperationalInsights/workspaces@');
  assert.equal(workspace.at('properties', 'workspaceCapping', 'dailyQuotaGb')?.text, 'capGB');
  const alerts: { name: string; source: string; query: string }[] = JSON.parse(
    readFileSync(join(infra, 'alerts.json'), 'utf8'),
  );
  const cap = alerts.find(({ name }) => name === 'log-cap');
  assert.equal(cap?.source, 'workspace');
  assert.match(cap?.query ?? '', /_LogOperation .*OverQuota/);
});

test('roles are given before anything that is not needed for them, so that they work when the package is read', () => {
  const modules = declarations(bicepFile('main.bicep'), 'module');
  const of = (name: string): Declaration =>
    modules.find((module) => module.name === name) ?? assert.fail(name);
  const roles = of('roles').node.text;
  for (const later of ['issuer', 'rotator', 'events', 'alerts', 'network'])
    assert.doesNotMatch(roles, new RegExp(`\\b${later}\\.\\??outputs|^ {4}${later}$`, 'm'), later);
  for (const app of APPS) assert.match(of(app).at('dependsOn')?.text ?? '', /\broles\b/);
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

test('every linter rule is on, as a warning: only the pipeline stops at one (check-bicep.ts)', () => {
  const { analyzers } = JSON.parse(readFileSync(join(infra, 'bicepconfig.json'), 'utf8'));
  const levels = Object.values<{ level: string }>(analyzers.core.rules).map(({ level }) => level);
  assert.ok(levels.length >= 53);
  assert.deepEqual(new Set(levels), new Set(['warning']));
});

function only(file: string, type: string): Declaration {
  const found = declarations(bicepFile(file), 'resource').filter(
    ({ refersTo, isExisting }) => refersTo.startsWith(type) && !isExisting,
  );
  assert.equal(found.length, 1, `${file}: ${type}`);
  return found[0] ?? assert.fail();
}

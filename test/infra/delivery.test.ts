import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { policyFiles } from '../../infra/build.ts';
import { environmentShape, parseEnvironments } from '../../infra/environments.ts';
import { REVOCATION_REQUESTED, ROTATOR_EVENTS } from '../../src/revocation/events/event-types.ts';
import { all, bicepFile, declarations, infra, properties, unquoted } from './bicep-syntax.ts';

const root = join(infra, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** The file of the function, in whichever app's folder it is. */
const functionFile = (name: string): string =>
  read(globSync(`functions/**/${name}.ts`, { cwd: root })[0] ?? assert.fail(`no function ${name}`));

test('the entries of environments.json have the members that the Bicep type has', () => {
  const type = declarations(bicepFile('types.bicep'), 'type').find(
    ({ name }) => name === 'environmentSettings',
  );
  const members = [...properties(type?.body ?? assert.fail('environmentSettings')).keys()];
  assert.deepEqual(members.sort(), Object.keys(environmentShape).sort());
  assert.deepEqual([...parseEnvironments(read('infra/environments.json')).keys()], ['dev', 'prod']);
});

test('each environment finds its own policy in the packages, which are the same for all', () => {
  const packed = policyFiles().map((file) => basename(file));
  const named = [...parseEnvironments(read('infra/environments.json')).values()].map(({ policy }) => policy);
  assert.deepEqual(packed, [...new Set(named)]);
  for (const file of ['issuer.bicep', 'rotator.bicep'])
    assert.match(bicepFile(file).text, /^ {4}BROKER_POLICY: settings\.policy$/m);
});

test('azd gives every parameter that main.bicep asks for, and never stops to ask for one', () => {
  const asked = declarations(bicepFile('main.bicep'), 'parameter').map(({ name }) => name);
  const { parameters } = JSON.parse(read('infra/main.parameters.json'));
  assert.deepEqual(Object.keys(parameters).sort(), asked.sort());
  assert.match(parameters.environmentName.value, /^\$\{AZURE_ENV_NAME\}$/);
  assert.match(parameters.location.value, /^\$\{AZURE_LOCATION\}$/);
  // azd asks for what is empty before any hook has run; the hook makes these two. What stands there instead is too
  // long for the parameter, so that it can never be deployed.
  for (const name of ['CLIENT', 'PRINCIPAL']) {
    const { value } = parameters[name === 'CLIENT' ? 'brokerClientId' : 'brokerPrincipalId'];
    const [, variable, otherwise = ''] = /^\$\{(\w+)=(.+)\}$/.exec(value) ?? [];
    assert.equal(variable, `BROKER_${name}_ID`);
    assert.ok(otherwise.length > 36);
  }
});

test('the hook after a deployment gives subscriptions.bicep every parameter, from outputs that main.bicep has', () => {
  const [, hook = ''] = read('infra/hooks.sh').split('--template-file subscriptions.bicep');
  const given = [...hook.matchAll(/(\w+)="\$\{?(\w+)/g)].filter(([, name]) => /^[a-z]/.test(name ?? ''));
  const asked = declarations(bicepFile('subscriptions.bicep'), 'parameter').map(({ name }) => name);
  assert.deepEqual(given.map(([, name]) => name).sort(), asked.sort());
  const outputs = declarations(bicepFile('main.bicep'), 'output').map(({ name }) => name);
  for (const [, , variable = ''] of given)
    assert.ok(variable === 'AZURE_ENV_NAME' || outputs.includes(variable), variable);
});

test('what azure.yaml names is there', () => {
  const yaml = read('infra/azure.yaml');
  for (const [, script, step] of yaml.matchAll(/run: (\S+) (\S+)/g)) {
    assert.ok(existsSync(join(infra, script ?? '')), script);
    assert.match(read('infra/hooks.sh'), new RegExp(`^ {2}${step}\\)$`, 'm'));
  }
  assert.match(yaml, /module: main\n/);
  assert.match(yaml, /remoteBuild: false/);
  // With an older azd, `azd down` deletes the resource groups of the AI accounts.
  const [, oldest = ''] = /^requiredVersions:\n {2}azd: '>= 1\.(\d+)\.\d+'$/m.exec(yaml) ?? [];
  assert.ok(Number(oldest) >= 24);
  assert.match(yaml, /^ {4}project: \.\.\/dist\/issuer$/m);
  assert.match(yaml, /^ {4}project: \.\.\/dist\/rotator$/m);
  const services = [...yaml.matchAll(/^ {2}(\w+):\n {4}host: function$/gm)].map(([, name]) => name);
  const tags = ['issuer.bicep', 'rotator.bicep'].map((file) =>
    unquoted(declarations(bicepFile(file), 'module')[0]?.at('params', 'service')),
  );
  assert.deepEqual(services, tags, 'azd finds each app by the tag with its service’s name');
});

test('the shell scripts are shell, and say how they are used', () => {
  for (const script of ['infra/hooks.sh', 'infra/app-registration.sh', '.ci/run']) {
    const parsed = spawnSync('bash', ['-n', join(root, script)], { encoding: 'utf8' });
    assert.equal(parsed.status, 0, parsed.stderr);
    assert.match(read(script), /^#!\/usr\/bin\/env bash\n/);
    assert.match(read(script), /set -euo pipefail/);
  }
  for (const script of ['infra/hooks.sh', 'infra/app-registration.sh'])
    assert.equal(spawnSync('bash', [join(root, script)], { encoding: 'utf8' }).status, 2, script);
});

/** The subscriptions of both files, by where they deliver. */
const subscriptions = ['subscriptions.bicep', 'activity-subscription.bicep']
  .flatMap((file) => declarations(bicepFile(file), 'resource'))
  .filter(({ refersTo, isExisting }) => refersTo.includes('/eventSubscriptions@') && !isExisting);

test('what revokes goes to the function of the issuer app, everything else to the rotator’s queue, as the topic itself', () => {
  const where = subscriptions.map(({ name, node }) => {
    const webhook = /^ {4}destination: function$/m.test(node.text);
    const queue =
      /^ {4}deliveryWithResourceIdentity: (queue|\{\s+identity: \{\s+type: 'SystemAssigned'\s+\}\s+destination: \{\s+endpointType: 'StorageQueue')/m.test(
        node.text,
      );
    assert.notEqual(webhook, queue, name);
    return `${name} ${webhook ? 'issuer' : 'rotator'}`;
  });
  assert.deepEqual(where, [
    'revocations issuer',
    'leaks rotator',
    'vaultEvents rotator',
    'activityEvents rotator',
  ]);
  const { text } = bicepFile('subscriptions.bicep');
  assert.equal(text.match(/RevocationRequested/g)?.length, 1);
  const react = functionFile(/functions\/(\w+)'/.exec(text)?.[1] ?? '');
  assert.match(react, /app\.eventGrid\('react'/);
});

test('every event that is subscribed to is tried for a day and dead-letters', () => {
  for (const { node, name } of subscriptions) {
    assert.match(
      node.text,
      /retryPolicy: (retryPolicy|\{\s+maxDeliveryAttempts: 30\s+eventTimeToLiveInMinutes: 1440)/,
      name,
    );
    assert.match(
      node.text,
      /deadLetterWithResourceIdentity: (deadLetters|\{\s+identity: \{\s+type: 'SystemAssigned'\s+\}\s+deadLetterDestination)/,
      name,
    );
  }
});

test('every event type that is subscribed to has a handler, and every handler is subscribed to', () => {
  const handled: string[] = [REVOCATION_REQUESTED, ...ROTATOR_EVENTS];
  const lists = subscriptions
    .flatMap(({ node }) => all(node, 'object_property'))
    .filter(({ namedChildren: [key] }) => key?.text === 'includedEventTypes');
  const types = lists.flatMap(({ namedChildren: [, list] }) => list?.namedChildren.map(unquoted) ?? []);
  // Only a call to Graph can subscribe to its events: infra/README.md says how, and for which part of a user or group.
  const byHand = handled.filter((type) => type.startsWith('Microsoft.Graph.'));
  assert.deepEqual(handled.filter((type) => !byHand.includes(type)).sort(), types.sort());
  assert.ok(types.length >= 8 && byHand.length > 0);
  assert.match(read('infra/README.md'), /### Events of Microsoft Graph/);
});

test('a line that an alert waits for is never sampled away; of requests a few a second are enough', () => {
  for (const app of ['issuer', 'rotator']) {
    const { logging } = JSON.parse(read(`functions/${app}/host.json`));
    const { samplingSettings } = logging.applicationInsights;
    const kept = samplingSettings.excludedTypes.split(';');
    assert.ok(kept.includes('Trace') && kept.includes('Exception'));
    // The rotator's are few, and each may be the one that somebody looks for.
    if (app === 'rotator') assert.ok(kept.includes('Request'));
    else assert.ok(samplingSettings.maxTelemetryItemsPerSecond <= 5);
  }
});

test('the alert for dead letters looks at the metric that there is', () => {
  // https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-eventgrid-topics-metrics
  assert.match(read('infra/alerts.bicep'), /metricName: 'DeadLetteredCount'/);
});

test('the hosts take the routes as they are, the queues as measured, and an extension bundle with both', () => {
  const [issuer, rotator] = ['issuer', 'rotator'].map((app) =>
    JSON.parse(read(`functions/${app}/host.json`)),
  );
  assert.equal(issuer.extensions.http.routePrefix, '');
  assert.deepEqual(rotator.extensions, {
    queues: {
      // Events that somebody makes up share their looks at the accounts, so they are handled together.
      batchSize: 16,
      maxPollingInterval: '00:00:02',
      maxDequeueCount: 5,
      visibilityTimeout: '00:00:10',
    },
  });
  for (const host of [issuer, rotator]) assert.match(host.extensionBundle.version, /^\[4\./);
});

test('the runbook says what to do about each alert', () => {
  const page = read('infra/README.md');
  const alerts: { readonly name: string }[] = JSON.parse(read('infra/alerts.json'));
  for (const { name } of [...alerts, { name: 'health' }]) assert.ok(page.includes(`\`${name}\``), name);
});

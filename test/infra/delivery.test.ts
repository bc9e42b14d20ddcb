import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { environmentShape, parseEnvironments } from '../../infra/environments.ts';
import { createLog } from '../../src/log.ts';
import { createRecordEffect } from '../../src/revocation/effect.ts';
import { all, bicepFile, declarations, infra, properties, unquoted } from './bicep-syntax.ts';

const root = join(infra, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the entries of environments.json have the members that the Bicep type has', () => {
  const type = declarations(bicepFile('types.bicep'), 'type').find(
    ({ name }) => name === 'environmentSettings',
  );
  const members = [...properties(type?.body ?? assert.fail('environmentSettings')).keys()];
  assert.deepEqual(members.sort(), Object.keys(environmentShape).sort());
  assert.deepEqual([...parseEnvironments(read('infra/environments.json')).keys()], ['dev', 'prod']);
});

test('azd gives every parameter that main.bicep asks for', () => {
  const asked = declarations(bicepFile('main.bicep'), 'parameter').map(({ name }) => name);
  const { parameters } = JSON.parse(read('infra/main.parameters.json'));
  assert.deepEqual(Object.keys(parameters).sort(), asked.sort());
});

test('the hook after a deployment gives subscriptions.bicep every parameter, from outputs that main.bicep has', () => {
  const hook = read('infra/hooks.sh');
  const given = [...hook.matchAll(/(\w+)="\$\{?(\w+)/g)].filter(([, name]) => /^[a-z]/.test(name ?? ''));
  const asked = declarations(bicepFile('subscriptions.bicep'), 'parameter').map(({ name }) => name);
  assert.deepEqual(given.map(([, name]) => name).sort(), asked.sort());
  const outputs = declarations(bicepFile('main.bicep'), 'output').map(({ name }) => name);
  for (const [, , variable] of given) assert.ok(outputs.includes(variable ?? ''), variable);
});

test('what azure.yaml names is there', () => {
  const yaml = read('infra/azure.yaml');
  for (const [, script] of yaml.matchAll(/run: (\S+)/g))
    assert.ok(existsSync(join(infra, script ?? '')), script);
  assert.match(yaml, /module: main\n/);
  assert.match(yaml, /remoteBuild: false/);
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

test('every event that is subscribed to goes to a function that there is, dead-letters and is retried', () => {
  const file = bicepFile('subscriptions.bicep');
  const subscriptions = declarations(file, 'resource').filter(({ isExisting }) => !isExisting);
  assert.equal(subscriptions.length, 3);
  for (const subscription of subscriptions) {
    assert.equal(subscription.at('properties', 'destination')?.text, 'destination');
    assert.equal(subscription.at('properties', 'retryPolicy')?.text, 'retryPolicy');
    assert.equal(subscription.at('properties', 'deadLetterWithResourceIdentity')?.text, 'deadLetters');
  }
  const name = /functions\/(\w+)'/.exec(file.text)?.[1];
  assert.match(read(`functions/${name}.ts`), new RegExp(`app\\.eventGrid\\('${name}'`));
});

test('every event type that is subscribed to has a handler', () => {
  const react = read('src/revocation/react.ts');
  const lists = all(bicepFile('subscriptions.bicep').root, 'object_property').filter(
    ({ namedChildren: [key] }) => key?.text === 'includedEventTypes',
  );
  const types = lists.flatMap(({ namedChildren: [, list] }) => list?.namedChildren.map(unquoted) ?? []);
  assert.ok(types.length >= 8);
  for (const type of types) assert.ok(react.includes(`'${type}'`), type);
});

test('every log event that an alert waits for is one that the app writes', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(`src/${path}`))
    .join('\n');
  const alerts = read('infra/alerts.bicep');
  const events = [...alerts.matchAll(/startswith "(\w+) ?"/g)].map(([, event]) => `log('${event}'`);
  const drifts = /has_any \((.*)\)'/
    .exec(alerts)?.[1]
    ?.split(', ')
    .map((text) => text.replaceAll('"', "'"));
  const fields = [...alerts.matchAll(/\* "(\w+)="/g)].map(([, field]) => `${field}: `);
  const waited = [...events, ...(drifts ?? []), ...fields];
  assert.ok(waited.length >= 12);
  for (const words of waited) assert.ok(sources.includes(words), `nothing in src writes ${words}`);
});

test('the time that an alert reads stands where the app writes it', async () => {
  const pattern =
    /parse message with (\* "\w+=" tookMs:long[^|]*)\|/.exec(read('infra/alerts.bicep'))?.[1] ?? '';
  // Kusto's parse: a string literal stands for itself, `name:long` for a number, `*` for anything.
  const parts = pattern.trim().split(' ');
  const said = parts.map((part) =>
    part === '*' ? '.*' : part.endsWith(':long') ? '(\\d+)' : JSON.parse(part),
  );
  const lines: string[] = [];
  const keepsWhatItGets = { keepFirst: async (_kind: string, _id: string, record: object) => record };
  const record = createRecordEffect(
    keepsWhatItGets as unknown as Parameters<typeof createRecordEffect>[0],
    createLog((text) => lines.push(text)),
  );
  const effect = { key: 'user:t:o', receivedAtMs: 1_000, inForceAtMs: 7_001, lastTokenUntilMs: 9_000 };
  await record(effect, { source: 'operator', reason: 'a laptop was stolen' });
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(new RegExp(`^${said.join('')}$`).exec(lines[0]?.trim() ?? '')?.[1], '6001', lines[0]);
});

test('no trace is sampled away: alerts and the runbook look for single lines', () => {
  const { logging } = JSON.parse(read('host.json'));
  const { excludedTypes } = logging.applicationInsights.samplingSettings;
  assert.ok(excludedTypes.split(';').includes('Trace'));
});

test('the workflow pins every action by commit, and may do only what a job needs', () => {
  for (const file of readdirSync(join(root, '.github/workflows'))) {
    const workflow = read(`.github/workflows/${file}`);
    const uses = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action ?? '');
    assert.ok(uses.length > 0);
    for (const action of uses) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    assert.match(workflow, /^permissions: \{\}$/m);
    assert.doesNotMatch(workflow, /: write-all|contents: write|secrets\.|pull_request_target/);
    for (const [, script] of workflow.matchAll(/npm run ([\w:]+)/g))
      assert.ok(JSON.parse(read('package.json')).scripts[script ?? ''], script);
  }
});

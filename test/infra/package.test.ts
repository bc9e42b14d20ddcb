/**
 * The folder that is deployed, away from this repository and without node_modules, in a host process of its
 * own, against the simulated Azure.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Built, build, readAtStart } from '../../infra/build.ts';
import { brokerSettings } from '../../src/local/environment.ts';
import type { RunningAzure } from '../../src/local/simulated/start.ts';
import { endProcesses, type RunningApp, startApp, startAzureInProcess } from './surroundings.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'package-'));
const dist = join(folder, 'dist');
let built: Built;
let azure: RunningAzure;
let app: RunningApp;

before(async () => {
  azure = await startAzureInProcess(join(folder, 'data'));
  writeFileSync(join(folder, 'policy.json'), JSON.stringify(azure.policy));
  built = await build(dist, join(folder, 'policy.json'));
  app = await startApp(dist, settings());
});

after(async () => {
  await endProcesses();
  await azure?.close();
  rmSync(folder, { recursive: true });
});

test('the folder holds the bundle, host.json, package.json, the policy and its inventory, and nothing else', () => {
  const files = readdirSync(dist).filter((file) => !/^[\w-]+\.js(\.map)?$/.test(file));
  assert.deepEqual(files.sort(), ['host.json', 'package.json', 'policy.json', 'sbom.cdx.json']);
  assert.equal(JSON.parse(readFileSync(join(dist, 'package.json'), 'utf8')).main, 'main.js');
  assert.deepEqual(readFileSync(join(dist, 'host.json')), readFileSync(join(root, 'host.json')));
});

test('nothing of the local mode or the tests is in the bundle', () => {
  const inputs = Object.keys(built.metafile.inputs);
  assert.ok(inputs.includes('src/broker.ts'));
  assert.deepEqual(
    inputs.filter((input) => /^(src\/(local|client)|test|infra)\//.test(input)),
    [],
  );
});

test('the bundle asks for nothing but Node itself and what the Functions host supplies', () => {
  const asked = Object.values(built.metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !isBuiltin(path))
    .map(({ path }) => path);
  assert.deepEqual([...new Set(asked)], ['@azure/functions-core']);
});

test('the heavy SDKs are read when they are first used, not at the start', () => {
  const packages = (outputs: { inputs: object }[]): Set<string | undefined> =>
    new Set(
      outputs.flatMap(({ inputs }) =>
        Object.keys(inputs).map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]),
      ),
    );
  const anywhere = packages(Object.values(built.metafile.outputs));
  const atStart = packages(readAtStart(built.metafile));
  for (const heavy of [
    '@azure/identity',
    '@azure/msal-node',
    '@azure/keyvault-secrets',
    '@azure/data-tables',
  ]) {
    assert.ok(anywhere.has(heavy), `${heavy} is not in the bundle`);
    assert.ok(!atStart.has(heavy), `${heavy} is read at the start`);
  }
});

test('the inventory names every bundled package with its version and hash', () => {
  const { components } = JSON.parse(readFileSync(join(dist, 'sbom.cdx.json'), 'utf8'));
  const names: string[] = components.map(({ name }: { name: string }) => name);
  for (const name of ['@azure/functions', '@azure/identity', 'jose', 'zod'])
    assert.ok(names.includes(name), name);
  const purls = components.map(({ purl }: { purl: string }) => purl);
  assert.equal(new Set(purls).size, purls.length, 'CycloneDX forbids a component twice');
  for (const { name, version, hashes } of components) {
    assert.match(version, /^\d+\.\d+\.\d+/, name);
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/, name);
  }
});

test('every function is registered, and no other', () => {
  const registered = app.functions.map(({ name, type }) => `${type} ${name}`).sort();
  assert.deepEqual(registered, EXPECTED_FUNCTIONS);
});

test('a caller gets a token for its own Entra token', async () => {
  const answer = await exchange('captions', 'speech');
  const token = await json(answer);
  assert.equal(answer.status, 200, `${token['error']}: ${token['error_description']}`);
  assert.equal(token['token_kind'], 'sts');
  const life = Number(token['expires_in']);
  assert.ok(life > 500 && life <= 600, `${life} s`);
});

test('the rotation timer runs and looks at the accounts', async () => {
  const before = azure.requests.after(0).at(-1)?.n ?? 0;
  const run = await fetch(`${app.url}/admin/functions/rotate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  });
  assert.equal(run.status, 202);
  const looked = () =>
    azure.requests.after(before).filter(({ service, status }) => service === 'arm' && status === 200);
  for (let waited = 0; looked().length === 0 && waited < 10_000; waited += 50) await sleep(50);
  assert.ok(looked().length > 0, 'no account was looked at within 10 s');
});

test('a revocation delivered by Event Grid is in force when it is acknowledged', async () => {
  assert.equal((await exchange('translations', 'translator')).status, 200);
  const { tenantId, objectId } = caller('translations');
  const delivered = await fetch(`${app.url}/runtime/webhooks/eventgrid?functionName=react`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents-batch+json', 'aeg-event-type': 'Notification' },
    body: JSON.stringify([
      {
        specversion: '1.0',
        id: 'package-test',
        source: '/test',
        type: 'AzureAiTokenBroker.RevocationRequested',
        time: new Date().toISOString(),
        data: { scope: { kind: 'user', tenantId, objectId }, block: true, reason: 'the package test' },
      },
    ]),
  });
  assert.equal(delivered.status, 202);
  const refused = await exchange('translations', 'translator');
  assert.equal(refused.status, 400);
  assert.equal((await json(refused))['error'], 'invalid_request');
});

test('a start with wrong settings names each of them, and what fails says where in the source', async () => {
  const { BROKER_TENANT_ID: _, ...rest } = settings();
  const wrong = await startApp(dist, { ...rest, BROKER_FRESHNESS_SECONDS: '31' }, /BROKER_FRESHNESS_SECONDS/);
  assert.match(wrong.said, /serves nothing: .*BROKER_TENANT_ID: is not set/);
  assert.match(wrong.said, /serves nothing: .*BROKER_FRESHNESS_SECONDS: /);
  assert.equal((await fetch(`${wrong.url}/oauth2/token`, { method: 'POST' })).status, 500);
  for (let waitedMs = 0; !wrong.said.includes('(Failed)') && waitedMs < 5_000; waitedMs += 20)
    await sleep(20);
  assert.match(wrong.said, /at readConfig \(.*src\/config\.ts:\d+:\d+\)/);
});

const EXPECTED_FUNCTIONS = [
  'eventGridTrigger react',
  'httpTrigger health',
  'httpTrigger introspect',
  'httpTrigger metadata',
  'httpTrigger openapi',
  'httpTrigger operator-lift',
  'httpTrigger operator-listEvents',
  'httpTrigger operator-listRevocations',
  'httpTrigger operator-planRotation',
  'httpTrigger operator-readAudit',
  'httpTrigger operator-revoke',
  'httpTrigger operator-rotateNow',
  'httpTrigger revoke',
  'httpTrigger signals',
  'httpTrigger token',
  'timerTrigger reconcile',
  'timerTrigger rotate',
];

function caller(name: string): RunningAzure['callers'][number] {
  return azure.callers.find((known) => known.name === name) ?? assert.fail(`no caller ${name}`);
}

async function exchange(name: string, resource: string): Promise<Response> {
  const { tenantId, clientId, clientSecret = '' } = caller(name);
  const entra = await fetch(`${azure.entra.authority}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: azure.entra.scope,
    }),
  });
  const { access_token: subject } = await json(entra);
  return fetch(`${app.url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: String(subject),
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource,
    }),
  });
}

const json = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>;

/** The policy is found beside host.json, where the working folder of the worker is. */
function settings(): Record<string, string> {
  return brokerSettings(azure, 'https://localhost', 'policy.json');
}

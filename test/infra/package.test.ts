/**
 * The two folders that are deployed, away from this repository and without node_modules, each in a host process of
 * its own, against the simulated Azure.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { APPS, type App, type Built, build, bytesAtStart, readAtStart } from '../../infra/build.ts';
import { filesOf } from '../../infra/files-of.ts';
import { zip } from '../../infra/zip.ts';
import { DEPLOYED_FUNCTIONS } from '../../src/deployed-names.ts';
import { appSettings } from '../../src/local/environment.ts';
import type { RunningAzure } from '../../src/local/simulated/start.ts';
import { endProcesses, type RunningApp, startApp, startAzureInProcess } from './surroundings.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'package-'));
const dist = (app: App): string => join(folder, 'dist', app);
const built = new Map<App, Built>();
let azure: RunningAzure;
let app: RunningApp;
let rotator: RunningApp;

before(async () => {
  azure = await startAzureInProcess(join(folder, 'data'));
  writeFileSync(join(folder, 'policy.json'), JSON.stringify(azure.policy));
  for (const name of APPS) built.set(name, await build(name, dist(name), [join(folder, 'policy.json')]));
  app = await startApp(dist('issuer'), settings('issuer'));
  rotator = await startApp(dist('rotator'), settings('rotator'));
});

after(async () => {
  await endProcesses();
  await azure?.close();
  rmSync(folder, { recursive: true });
});

test('each folder holds the bundle, host.json, package.json, the policy and its inventory, and nothing else', (t) => {
  for (const name of APPS) {
    const files = readdirSync(dist(name)).filter((file) => !/^[\w-]+\.js(\.map)?$/.test(file));
    const folders = name === 'issuer' ? ['console'] : [];
    assert.deepEqual(files.sort(), [...folders, 'host.json', 'package.json', 'policy.json', 'sbom.cdx.json']);
    assert.equal(JSON.parse(readFileSync(join(dist(name), 'package.json'), 'utf8')).main, 'main.js');
    assert.deepEqual(
      readFileSync(join(dist(name), 'host.json')),
      readFileSync(join(root, 'functions', name, 'host.json')),
    );
    const { sizes, metafile } = builtOf(name);
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${name}: ${kib(bytes)} in all, ${kib(bytesAtStart(metafile))} read at start`);
  }
});

test('one commit makes one artifact: the archives of two builds are the same, byte for byte', async () => {
  for (const name of APPS) {
    const again = join(folder, 'again', name);
    await build(name, again, [join(folder, 'policy.json')]);
    assert.ok(zip(filesOf(dist(name))).equals(zip(filesOf(again))), name);
  }
});

test('nothing of the local mode, the tests or the other app is in a bundle', () => {
  for (const name of APPS) {
    const inputs = Object.keys(builtOf(name).metafile.inputs);
    assert.ok(inputs.includes(`src/${name}.ts`));
    const other = name === 'issuer' ? 'rotator' : 'issuer';
    assert.deepEqual(
      inputs.filter((input) => /^(src\/(local|client)|test|infra)\//.test(input)),
      [],
    );
    assert.deepEqual(
      inputs.filter((input) => input === `src/${other}.ts` || input.startsWith(`functions/${other}/`)),
      [],
    );
  }
});

test('no code that lists or changes a key or writes a secret is in the issuer, and no wire in the rotator', () => {
  const inputs = (name: App): string[] =>
    Object.keys(builtOf(name).metafile.inputs).filter((input) => input.startsWith('src/'));
  // `events/azure-event.ts` is not meant: it only parses what Azure says, and both apps do.
  const ofKeys =
    /^src\/(azure\/(accounts|vault-writer|key-proof|rotation-store)|rotation\/(?!plan-row|planned|problem|shown|state)|demand\/carry-out|revocation\/watch|revocation\/events\/(azure|directory)\.ts)/;
  assert.deepEqual(
    inputs('issuer').filter((input) => ofKeys.test(input)),
    [],
  );
  assert.ok(inputs('rotator').filter((input) => ofKeys.test(input)).length > 10);
  assert.deepEqual(
    inputs('rotator').filter((input) => /^src\/(http|exchange|audit|revocation\/signals)\//.test(input)),
    [],
  );
});

test('the issuer reads the code that asks Microsoft Graph only when it is first needed', () => {
  const atStart = readAtStart(builtOf('issuer').metafile).flatMap(({ inputs }) => Object.keys(inputs));
  assert.ok(atStart.includes('src/issuer.ts') && !atStart.includes('src/azure/graph.ts'));
});

test('a bundle asks for nothing but Node itself and what the Functions host supplies', () => {
  for (const name of APPS) {
    const asked = Object.values(builtOf(name).metafile.outputs)
      .flatMap(({ imports }) => imports)
      .filter(({ external, path }) => external && !isBuiltin(path))
      .map(({ path }) => path);
    assert.deepEqual([...new Set(asked)], ['@azure/functions-core']);
  }
});

test('the heavy SDKs are read when they are first used, not at the start', () => {
  const packages = (outputs: { inputs: object }[]): Set<string | undefined> =>
    new Set(
      outputs.flatMap(({ inputs }) =>
        Object.keys(inputs).map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]),
      ),
    );
  for (const name of APPS) {
    const anywhere = packages(Object.values(builtOf(name).metafile.outputs));
    const atStart = packages(readAtStart(builtOf(name).metafile));
    for (const heavy of [
      '@azure/identity',
      '@azure/msal-node',
      '@azure/keyvault-secrets',
      '@azure/data-tables',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/sdk-metrics',
    ]) {
      assert.ok(anywhere.has(heavy), `${heavy} is not in the bundle`);
      assert.ok(!atStart.has(heavy), `${heavy} is read at the start`);
    }
  }
});

test('the inventory names every bundled package with its version and hash', () => {
  for (const name of APPS) isInventoried(name);
});

function isInventoried(app: App): void {
  const { components } = JSON.parse(readFileSync(join(dist(app), 'sbom.cdx.json'), 'utf8'));
  const names: string[] = components.map(({ name }: { name: string }) => name);
  const bundled = [
    '@azure/functions',
    '@azure/identity',
    'zod',
    ...(app === 'issuer' ? ['jose', 'preact'] : []),
  ];
  for (const name of bundled) assert.ok(names.includes(name), name);
  const purls = components.map(({ purl }: { purl: string }) => purl);
  assert.equal(new Set(purls).size, purls.length, 'CycloneDX forbids a component twice');
  for (const { name, version, hashes } of components) {
    assert.match(version, /^\d+\.\d+\.\d+/, name);
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/, name);
  }
}

test('every function is registered in its app, and no other', () => {
  const registered = ({ functions }: RunningApp): string[] =>
    functions.map(({ name, type }) => `${type} ${name}`).sort();
  const listed = (name: App) => Object.entries(DEPLOYED_FUNCTIONS[name]).map(([of, type]) => `${type} ${of}`);
  assert.deepEqual(registered(app), listed('issuer').sort());
  assert.deepEqual(registered(rotator), listed('rotator').sort());
});

test('the console is served with the files that were built', async () => {
  const page = await (await fetch(`${app.url}/console`)).text();
  const paths = page.match(/\/console\/assets\/[\w.-]+/g) ?? [];
  assert.equal(paths.length, 2);
  for (const path of paths) assert.equal((await fetch(`${app.url}${path}`)).status, 200, path);
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
  const run = await fetch(`${rotator.url}/admin/functions/rotate`, {
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
  const { BROKER_TENANT_ID: _, ...rest } = settings('issuer');
  const wrong = await startApp(
    dist('issuer'),
    { ...rest, BROKER_FRESHNESS_SECONDS: '31' },
    /BROKER_FRESHNESS_SECONDS/,
  );
  assert.match(wrong.said, /serves nothing: .*BROKER_TENANT_ID: is not set/);
  assert.match(wrong.said, /serves nothing: .*BROKER_FRESHNESS_SECONDS: /);
  assert.equal((await fetch(`${wrong.url}/oauth2/token`, { method: 'POST' })).status, 500);
  for (let waitedMs = 0; !wrong.said.includes('(Failed)') && waitedMs < 5_000; waitedMs += 20)
    await sleep(20);
  assert.match(wrong.said, /at (?:read|readIssuerConfig) \(.*src\/config\.ts:\d+:\d+\)/);
});

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
function settings(name: App): Record<string, string> {
  return { ...appSettings(azure, 'https://localhost', 'policy.json', 'console')[name] };
}

function builtOf(name: App): Built {
  return built.get(name) ?? assert.fail(name);
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;

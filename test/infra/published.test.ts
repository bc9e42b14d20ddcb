/** The folder that is published to npm, as somebody has it who has installed it: away from this repository. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { publint } from 'publint';
import { type Installed, install } from './installed.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const modules = join(root, 'node_modules');
const folder = mkdtempSync(join(tmpdir(), 'published-'));
let made: Installed;
let installed = '';
before(async () => {
  made = await install(folder, ['@azure', '@types']);
  installed = join(made.app, 'node_modules/azure-ai-token-broker');
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Node 24 of the development dependencies, and the machine's own where it is another. */
function nodes(): Map<string, string> {
  const outside = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((entry) => entry !== '' && !entry.includes('node_modules'))
    .map((entry) => join(entry, 'node'));
  const found = new Map<string, string>();
  for (const path of [process.execPath, ...outside])
    try {
      const version = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim();
      if (Number(version.slice(1).split('.')[0]) >= 20) found.set(version, path);
    } catch {
      // There is none in this folder.
    }
  return found;
}

test('publint has nothing to say of it', async () => {
  const { messages } = await publint({ pkgDir: made.built, level: 'suggestion', strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test('attw finds its types wherever they are looked for', async () => {
  const { stdout } = await execute(join(modules, '.bin/attw'), [made.tarball, '--format', 'json']);
  const { analysis } = JSON.parse(stdout);
  assert.deepEqual(analysis.problems, []);
  assert.ok(Object.keys(analysis.entrypoints).includes('./client'));
});

test('it holds what is declared, its licence, its README and its inventory, and nothing of the server', () => {
  assert.deepEqual(readdirSync(installed).sort(), [
    'LICENSE',
    'README.md',
    'bin',
    'cli',
    'client',
    'package.json',
    'sbom.cdx.json',
  ]);
  const {
    name,
    private: isPrivate,
    publishConfig,
  } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.deepEqual([name, isPrivate, publishConfig.provenance], ['azure-ai-token-broker', undefined, true]);
  const { components } = JSON.parse(readFileSync(join(installed, 'sbom.cdx.json'), 'utf8'));
  assert.ok(components.some((one: { name: string }) => one.name === 'commander'));
});

test('the client needs no package and nothing of Node, and a page loads at most 2 kB of it', async (context) => {
  const { metafile } = await esbuild.build({
    stdin: { contents: `export * from 'azure-ai-token-broker/client'`, resolveDir: made.app },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    outdir: join(folder, 'page'),
  });
  for (const input of Object.keys(metafile.inputs))
    assert.match(input, /(^<stdin>|azure-ai-token-broker\/client\/(index|why)\.js)$/);
  const bytes = gzipSync(readFileSync(join(installed, 'client/index.js')), { level: 9 }).length;
  const late = gzipSync(readFileSync(join(installed, 'client/why.js')), { level: 9 }).length;
  context.diagnostic(`client: ${bytes} B gzip; the words for an outage, loaded when one comes: ${late} B`);
  assert.ok(bytes <= 2000, `${bytes}`);
});

const USE = `import type { TokenCredential } from '@azure/core-auth';
import { BrokerCredential, BrokerError, type BrokerToken, brokerToken, fetchWithBroker, fromCredential, speechCredential }
  from 'azure-ai-token-broker/client';
const own: TokenCredential = { getToken: async () => ({ token: 't', expiresOnTimestamp: 0 }) };
const options = { issuer: 'https://b', resource: 'r', getCallerToken: fromCredential(own, 's') };
const credentials: TokenCredential[] = [new BrokerCredential(options), speechCredential(options)];
const call: (path: string) => Promise<Response> = fetchWithBroker(brokerToken(options));
const use = async (): Promise<BrokerToken> => brokerToken(options)({ signal: AbortSignal.timeout(1) });
export const all: unknown[] = [credentials, call, use, BrokerError];
`;
for (const [file, module, resolution] of [
  ['use.mts', 'node16', 'node16'],
  ['use.cts', 'node16', 'node16'],
  ['use.ts', 'esnext', 'bundler'],
] as const)
  test(`its types resolve in ${file} with the resolution of ${resolution}`, async () => {
    const project = join(made.app, `tsconfig.${file}.json`);
    writeFileSync(join(made.app, file), file === 'use.cts' ? `${USE}export {};\n` : USE);
    const compilerOptions = {
      module,
      moduleResolution: resolution,
      target: 'es2022',
      lib: ['es2022'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    writeFileSync(project, JSON.stringify({ compilerOptions, files: [file] }));
    await execute(join(modules, '.bin/tsc'), ['-p', project]).catch(({ stdout }) => assert.fail(stdout));
  });

for (const [version, node] of nodes())
  test(`under Node ${version} it is imported and required, and its command starts`, async () => {
    const wanted =
      'BrokerCredential,BrokerError,brokerToken,fetchWithBroker,fromCredential,fromMsal,speechCredential';
    const both = `import { createRequire } from 'node:module';
const names = (of) => console.log(Object.keys(of).sort((a, b) => a.localeCompare(b)).filter((name) => name !== 'default').join());
names(await import('azure-ai-token-broker/client'));
names(createRequire(import.meta.url)('azure-ai-token-broker/client'));`;
    writeFileSync(join(made.app, 'both.mjs'), both);
    const { stdout } = await execute(node, ['both.mjs'], { cwd: made.app });
    const sorted = wanted
      .split(',')
      .sort((a, b) => a.localeCompare(b))
      .join();
    assert.deepEqual(stdout.trim().split('\n'), [sorted, sorted]);
    const { bin } = made;
    const help = await execute(node, [bin, '--help'], { cwd: made.app });
    assert.match(help.stdout, /^Usage: azure-ai-token-broker/);
    const failed = await execute(node, [bin, 'token', 'speech', '--broker', 'nowhere'], {
      cwd: made.app,
    }).catch((error) => error);
    assert.equal(failed.code, 2, 'wrong usage');
  });

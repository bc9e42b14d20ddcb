/**
 * `npm run build`: makes dist/issuer and dist/rotator, the folders that are deployed as they are, and dist/package,
 * which is published (build-package.ts). Nothing is installed or built in Azure. What is made is the same for every
 * environment, so that what was tried in one is what is deployed to the next: the policy of each environment is
 * packed, and the setting BROKER_POLICY names the one that counts.
 *
 * ES modules with splitting, because then a heavy SDK is a chunk that is read when it is first used. One
 * CommonJS file reads all of it at every start (`npm run bench -- --only coldstart` measures ours).
 */
import {
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { readCommandLine } from '../src/command-line.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { buildConsole } from './build-console.ts';
import { buildPackage } from './build-package.ts';
import { parseEnvironments } from './environments.ts';
import { sbom } from './sbom.ts';

const root = join(import.meta.dirname, '..');

/** Some dependencies are CommonJS and call `require` for Node's own modules, which a module does not have. */
const banner = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
`;

/**
 * What the worker loads. The code is written for Node 24, and a Functions host that still brings Node 20 lacks
 * only this of it. Source maps are for what is loaded after they were asked for, so all else is in a second file.
 */
const main = `Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
};
process.setSourceMapsEnabled(true);
await import('./app.js');
`;

/**
 * The library is shipped as code for old targets, where a private field is an entry in a WeakMap. Compiled from
 * the TypeScript source in the same package, an invocation costs less than half. Its one dependency's ES module
 * names no exports, so the other form is taken.
 */
const fromSource = {
  '@azure/functions': join(root, 'node_modules/@azure/functions/src/index.ts'),
  '@azure/functions-extensions-base': join(
    root,
    'node_modules/@azure/functions-extensions-base/dist/azure-functions-extensions-base.js',
  ),
};

/** Inside the library the global `Request` is a lighter one. On the first line, so that source maps stay right. */
const lightRequest: esbuild.Plugin = {
  name: 'light-request',
  setup: ({ onLoad }) => {
    onLoad({ filter: /@azure\/functions\/src\/http\/HttpRequest\.ts$/ }, ({ path }) => ({
      contents: `import { Request } from ${JSON.stringify(join(root, 'src/light-request.ts'))}; ${readFileSync(path, 'utf8')}`,
      loader: 'ts',
      resolveDir: dirname(path),
    }));
  },
};

/** The two apps, each with its functions in functions/. */
export const APPS = ['issuer', 'rotator'] as const;
export type App = (typeof APPS)[number];

export interface Built {
  readonly metafile: esbuild.Metafile;
  /** Bytes of each deployed file, without the source maps. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Makes the deployable folder of one app, over what is there.
 * @throws PolicyError when a policy is not valid; esbuild's error when the code does not bundle
 */
export async function build(app: App, outFolder: string, policyFiles: readonly string[]): Promise<Built> {
  for (const file of policyFiles) loadPolicy(readFileSync(file, 'utf8'));
  const source = join(root, 'functions', app);
  const functions = readdirSync(source).filter((file) => file.endsWith('.ts'));
  const result = await esbuild.build({
    absWorkingDir: root,
    stdin: {
      contents: functions.map((file) => `import './${file}';`).join('\n'),
      sourcefile: 'app.js',
      resolveDir: source,
      loader: 'js',
    },
    outdir: outFolder,
    entryNames: 'app',
    chunkNames: '[name]-[hash]',
    banner: { js: banner },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'warning',
    // The Functions host supplies it; the library asks for it when the first function is registered.
    external: ['@azure/functions-core'],
    alias: fromSource,
    plugins: [lightRequest],
  });
  rmSync(outFolder, { recursive: true, force: true });
  mkdirSync(outFolder, { recursive: true });
  for (const file of result.outputFiles) {
    if (isOurs(result.metafile, file.path)) writeFileSync(file.path, file.contents);
    else if (file.path.endsWith('.js')) writeFileSync(file.path, file.text.replace(MAP_LINE, ''));
  }
  writeFileSync(join(outFolder, 'main.js'), main);
  const ofConsole = app === 'issuer' ? await buildConsole(join(outFolder, 'console')) : [];
  copyFileSync(join(source, 'host.json'), join(outFolder, 'host.json'));
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeJson(join(outFolder, 'package.json'), {
    name: `${name}-${app}`,
    version,
    type: 'module',
    main: 'main.js',
  });
  writeJson(
    join(outFolder, 'sbom.cdx.json'),
    sbom(join(root, 'package-lock.json'), [...Object.keys(result.metafile.inputs), ...ofConsole]),
  );
  // A policy with the name of another file here is an error, and not a package without that file.
  for (const file of policyFiles)
    copyFileSync(file, join(outFolder, basename(file)), constants.COPYFILE_EXCL);

  const files = readdirSync(outFolder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !file.endsWith('.map') && statSync(join(outFolder, file)).isFile(),
  );
  return {
    metafile: result.metafile,
    sizes: new Map(files.map((file) => [file, statSync(join(outFolder, file)).size])),
  };
}

const MAP_LINE = /^\/\/# sourceMappingURL=.*\n?$/m;

/**
 * Whether a line of our own code is in it. Node reads and checks the source map of each module that it loads, so the
 * chunks that hold nothing but an SDK have none: at a first exchange they would cost more than the map of ours.
 */
function isOurs({ outputs }: esbuild.Metafile, path: string): boolean {
  const name = path.replace(/\.map$/, '');
  const [, output] = Object.entries(outputs).find(([file]) => join(root, file) === name) ?? [];
  return Object.keys(output?.inputs ?? {}).some((input) => !input.startsWith('node_modules/'));
}

/** What is read when the app starts: the app's file and the chunks that it imports at once. */
export function readAtStart({ outputs }: esbuild.Metafile): esbuild.Metafile['outputs'][string][] {
  const paths = Object.keys(outputs).filter((path) => path.endsWith('app.js'));
  for (const path of paths)
    for (const { kind, external, path: next } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && !external && !paths.includes(next)) paths.push(next);
  return paths.flatMap((path) => outputs[path] ?? []);
}

export function bytesAtStart(metafile: esbuild.Metafile): number {
  return readAtStart(metafile).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The policies of all environments, each once. */
export function policyFiles(): string[] {
  const all = parseEnvironments(readFileSync(join(root, 'infra/environments.json'), 'utf8'));
  const names = new Set([...all.values()].map(({ policy }) => policy));
  return [...names].map((name) => join(root, 'infra', name));
}

const writeJson = (path: string, value: unknown): void =>
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;

if (import.meta.main) {
  const usage = `npm run build

Makes dist/issuer and dist/rotator, the folders that are deployed, and
dist/package, which is published. Prints the size of each file. The policies
of all environments in infra/environments.json are packed.`;
  readCommandLine(usage, {});
  for (const app of APPS) {
    const { sizes, metafile } = await build(app, join(root, 'dist', app), policyFiles());
    for (const [file, bytes] of sizes) console.log(`${kib(bytes).padStart(10)}  dist/${app}/${file}`);
    const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    const atStart = kib(bytesAtStart(metafile));
    console.log(`${kib(total).padStart(10)}  in all, of which ${atStart} are read at start\n`);
  }
  await buildPackage(join(root, 'dist/package'));
  const published = readdirSync(join(root, 'dist/package'), { recursive: true, withFileTypes: true });
  const bytes = published
    .filter((one) => one.isFile())
    .reduce((sum, { parentPath, name: file }) => sum + statSync(join(parentPath, file)).size, 0);
  const client = gzipSync(readFileSync(join(root, 'dist/package/client/index.js')), { level: 9 }).length;
  console.log(`${kib(bytes).padStart(10)}  dist/package, of which a page loads ${client} B (gzip)`);
}

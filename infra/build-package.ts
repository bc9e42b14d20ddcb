/**
 * Makes dist/package, which is published to npm: the command, and the client for apps.
 *
 * The sources cannot be published as they are, since Node does not run TypeScript under node_modules. The client is
 * one bundle rather than a file for each source: a page loads it in one request, and what it weighs can be stated. Its
 * entry is written here, because a file of src/ that only exports again would hide where a thing is.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { sbom } from './sbom.ts';

const root = join(import.meta.dirname, '..');
const NAME = 'azure-ai-token-broker';

/** What apps can import, by the file of src/client/ in which it is. */
const CLIENT: Readonly<
  Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }>
> = {
  'broker-error': { values: ['BrokerError'], types: [] },
  'broker-token': {
    values: ['brokerToken'],
    types: ['BrokerToken', 'BrokerTokenOptions', 'GetBrokerToken', 'GetOptions', 'Signal'],
  },
  caller: { values: ['fromCredential', 'fromMsal'], types: ['CredentialLike', 'MsalLike'] },
  credential: { values: ['BrokerCredential'], types: ['AccessToken', 'GetTokenOptions'] },
  'fetch-with-broker': { values: ['fetchWithBroker'], types: ['BrokerFetch'] },
  'speech-credential': { values: ['speechCredential'], types: [] },
};

/** The oldest of each that has what the client uses: Node 20, and browsers and workers of 2022. */
const CLIENT_TARGET = 'es2022';
const NODE_TARGET = 'node20';

/**
 * Makes the folder, over what is there.
 * @throws esbuild's or the compiler's error
 */
export async function buildPackage(outFolder: string): Promise<void> {
  rmSync(outFolder, { recursive: true, force: true });
  mkdirSync(join(outFolder, 'client'), { recursive: true });
  const inputs = [...(await buildClient(outFolder)), ...(await buildCommand(outFolder))];
  declare(join(outFolder, 'client'));
  copyFileSync(join(root, 'LICENSE'), join(outFolder, 'LICENSE'));
  copyFileSync(join(root, 'infra/package-README.md'), join(outFolder, 'README.md'));
  writeJson(join(outFolder, 'sbom.cdx.json'), sbom(join(root, 'package-lock.json'), inputs));
  writeJson(join(outFolder, 'package.json'), manifest());
}

async function buildClient(outFolder: string): Promise<string[]> {
  const stdin = {
    contents: entry(({ values }) => values, 'export', './', '.ts'),
    resolveDir: join(root, 'src/client'),
    sourcefile: 'index.ts',
  };
  const common = { ...shared, stdin, target: CLIENT_TARGET, platform: 'neutral' } as const;
  // Split, so that the words for what went wrong are read where they are needed.
  const esm = await esbuild.build({
    ...common,
    format: 'esm',
    splitting: true,
    outdir: join(outFolder, 'client'),
    entryNames: 'index',
    chunkNames: '[name]',
  });
  await esbuild.build({ ...common, format: 'cjs', outfile: join(outFolder, 'client/index.cjs') });
  return Object.keys(esm.metafile.inputs);
}

/** Some dependencies are CommonJS and call `require` for Node's own modules, which a module does not have. */
const REQUIRE = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
`;
/** Node 22 and later keep what they have compiled, for the next start. */
const BIN = `#!/usr/bin/env node
import module from 'node:module';
module.enableCompileCache?.();
await import('../cli/main.js');
`;

async function buildCommand(outFolder: string): Promise<string[]> {
  const { metafile } = await esbuild.build({
    ...shared,
    entryPoints: [join(root, 'src/cli/main.ts')],
    outdir: join(outFolder, 'cli'),
    chunkNames: '[name]-[hash]',
    format: 'esm',
    splitting: true,
    platform: 'node',
    target: NODE_TARGET,
    banner: { js: REQUIRE },
    // Loaded when somebody who is signed in to Azure first needs it; most of the package's weight.
    external: ['@azure/identity'],
  });
  mkdirSync(join(outFolder, 'bin'));
  writeFileSync(join(outFolder, `bin/${NAME}.js`), BIN);
  chmodSync(join(outFolder, `bin/${NAME}.js`), 0o755);
  return Object.keys(metafile.inputs);
}

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  metafile: true,
  logLevel: 'warning',
} as const;

function entry(
  names: (of: (typeof CLIENT)[string]) => readonly string[],
  statement: string,
  prefix: string,
  suffix: string,
): string {
  return Object.entries(CLIENT)
    .filter(([, of]) => names(of).length > 0)
    .map(([file, of]) => `${statement} { ${names(of).join(', ')} } from '${prefix}${file}${suffix}';\n`)
    .join('');
}

/** The compiler's declarations of the sources, for those who import and for those who require. */
function declare(folder: string): void {
  const work = mkdtempSync(join(tmpdir(), 'declarations-'));
  try {
    writeJson(join(work, 'tsconfig.json'), {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rewriteRelativeImportExtensions: true,
        outDir: join(work, 'out'),
        rootDir: join(root, 'src/client'),
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: [],
      files: Object.keys(CLIENT).map((file) => join(root, 'src/client', `${file}.ts`)),
    });
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', work], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    for (const file of Object.keys(CLIENT)) {
      const text = readFileSync(join(work, 'out', `${file}.d.ts`), 'utf8')
        // The examples are run from the sources; whoever reads them here has the package.
        .replaceAll(/( \* import .* from) '\.\/[\w-]+\.ts'/g, `$1 '${NAME}/client'`)
        .replaceAll(/( from '\.\/[\w-]+)\.ts'/g, "$1.js'");
      writeFileSync(join(folder, `${file}.d.ts`), text);
      writeFileSync(join(folder, `${file}.d.cts`), text.replaceAll(/( from '\.\/[\w-]+)\.js'/g, "$1.cjs'"));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const [end, suffix] of [
    ['.d.ts', '.js'],
    ['.d.cts', '.cjs'],
  ] as const)
    writeFileSync(
      join(folder, `index${end}`),
      entry(({ values }) => values, 'export', './', suffix) +
        entry(({ types }) => types, 'export type', './', suffix),
    );
}

function manifest(): Record<string, unknown> {
  const { version, description, license, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return {
    name: NAME,
    version,
    description,
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    bin: { [NAME]: `bin/${NAME}.js` },
    exports: {
      './client': {
        import: { types: './client/index.d.ts', default: './client/index.js' },
        require: { types: './client/index.d.cts', default: './client/index.cjs' },
      },
      './package.json': './package.json',
    },
    files: ['bin', 'cli', 'client', 'sbom.cdx.json'],
    dependencies: { '@azure/identity': `^${dependencies['@azure/identity']}` },
    publishConfig: { access: 'public', provenance: true },
  };
}

const writeJson = (path: string, value: unknown): void =>
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

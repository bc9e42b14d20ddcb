/**
 * `@azure/functions` as Node 24 would have it. The package ships code for old targets, where each private
 * field is an entry in a WeakMap; compiled from the TypeScript source in the same package, an invocation
 * costs less than half (measured: 210 to 85 microseconds), as it does in the deployed bundle (infra/build.ts). And its
 * `Request` is the one of light-request.ts.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As in the bundle, and with a name that changes with it, so that what was kept from an earlier one is left. */
const lightRequest = fileURLToPath(new URL('../../light-request.ts', import.meta.url));
const shipped = /\/node_modules\/@azure\/functions\/dist\/azure-functions\.js$/;

/** The library's code, where `url` is its entry and its source is beside it; else undefined. */
export function libraryFromSource(url: string): string | undefined {
  if (!shipped.test(url)) return undefined;
  const folder = dirname(dirname(fileURLToPath(url)));
  const entry = join(folder, 'src', 'index.ts');
  if (!existsSync(entry)) return undefined;
  const require = createRequire(import.meta.url);
  const { version } = require(join(folder, 'package.json')) as { version: string };
  const light = createHash('sha256').update(readFileSync(lightRequest)).digest('hex').slice(0, 8);
  const kept = join(folder, '..', '..', '.cache', 'local-mode', `azure-functions-${version}-${light}.cjs`);
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  // It would keep a process of its own for the next build.
  process.env['ESBUILD_WORKER_THREADS'] = '0';
  // Loaded only where it is needed, as a bundled app's start is measured with this host.
  const { buildSync } = require('esbuild') as typeof import('esbuild');
  const bundle = buildSync({
    entryPoints: [entry],
    inject: [lightRequest],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    packages: 'external',
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  const code = bundle.outputFiles[0]?.text;
  if (code !== undefined) keep(kept, code);
  return code;
}

/** For the next start. Several instances may do this at once, so the file gets its name when it is whole. */
function keep(path: string, code: string): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(unfinished, code);
    renameSync(unfinished, path);
  } catch {
    // Where nothing can be written, every start compiles.
  }
}

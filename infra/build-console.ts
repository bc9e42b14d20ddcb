/**
 * Makes the files that the console's page loads. Their names have a hash of the content, so that a browser may keep
 * them for good, and `files.json` says which is which.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as esbuild from 'esbuild';

const root = join(import.meta.dirname, '..');
/** Browsers of 2024: `light-dark()` in styles is the newest that is used. */
const TARGET = ['chrome123', 'firefox120', 'safari17.5'];
const ENTRIES = { script: 'src/console/main.ts', style: 'src/console/style.css' } as const;

/** Line breaks in markup mean nothing to htm, and the blanks after them are sent to every reader. */
const unindented: esbuild.Plugin = {
  name: 'unindented',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/console\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(/\n +/g, '\n'),
      loader: 'ts',
    }));
  },
};

/** @returns the paths of the sources that were bundled; a packaged app's inventory has the libraries among them */
export async function buildConsole(folder: string): Promise<string[]> {
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [...Object.values(ENTRIES)],
    outdir: folder,
    entryNames: '[name]-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: TARGET,
    minify: true,
    legalComments: 'none',
    plugins: [unindented],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  const names = Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
    Object.entries(ENTRIES).flatMap(([what, source]) =>
      source === entryPoint ? [[what, basename(path)] as const] : [],
    ),
  );
  writeFileSync(join(folder, 'files.json'), JSON.stringify(Object.fromEntries(names)));
  return Object.keys(metafile.inputs);
}

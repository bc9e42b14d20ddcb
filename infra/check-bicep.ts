/**
 * `npm run check:infra`: compiles and lints every Bicep file, all rules on (bicepconfig.json), with `bicep` or
 * `az bicep`. A word from the compiler is a failure, because it only warns about a wrong property or type.
 * Where no compiler is on PATH nothing is compiled and it says so; with --required that is a failure too.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const compilers = [
  { name: 'bicep', asks: ['--version'], build: ['build', '--stdout'], lint: ['lint'], file: [] },
  {
    name: 'az',
    asks: ['bicep', 'version'],
    build: ['bicep', 'build', '--stdout'],
    lint: ['bicep', 'lint'],
    file: ['--file'],
  },
];

const compiler = compilers.find(({ name, asks }) => spawnSync(name, asks, { stdio: 'ignore' }).status === 0);

if (compiler === undefined) {
  console.error('No Bicep compiler: neither `bicep` nor `az bicep` runs here, so nothing was compiled.');
  console.error('test/infra/bicep.test.ts checks the grammar and the rules; the GitHub workflow compiles.');
  process.exitCode = process.argv.includes('--required') ? 1 : 0;
} else {
  const failed = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.bicep'))
    .filter((file) => !isSilent(compiler, join(import.meta.dirname, file)));
  console.log(failed.length === 0 ? 'The Bicep is silent.' : `Not silent: ${failed.join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function isSilent({ name, build, lint, file }: (typeof compilers)[number], path: string): boolean {
  return [build, lint].every((command) => {
    const { status, stderr } = spawnSync(name, [...command, ...file, path], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    process.stderr.write(stderr);
    return status === 0 && stderr.trim() === '';
  });
}

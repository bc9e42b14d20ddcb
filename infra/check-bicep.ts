/**
 * `npm run check:infra`: lints every Bicep file, all rules on (bicepconfig.json), and compiles those that are
 * deployed, with `bicep` or `az bicep`. A word from the compiler is a failure, because it only warns about a wrong
 * property or type. Where no compiler is on PATH nothing is compiled and it says so; with --required that is a
 * failure too.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../src/command-line.ts';

const usage = `npm run check:infra -- [--required]

  --required  fail where there is no Bicep compiler

Lints and compiles the Bicep with \`bicep\` or \`az bicep\`. Any word from the
compiler is a failure.`;
const { values } = readCommandLine(usage, { options: { required: { type: 'boolean', default: false } } });

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.bicep'));
const texts = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join('\n');
/** No file uses these as a module: they are what is deployed. */
const deployed = files.filter((file) => !texts.includes(`'${file}'`));

const compilers = [
  {
    name: 'bicep',
    asks: ['--version'],
    runs: [['lint', '--pattern', '*.bicep'], ...deployed.map((file) => ['build', '--stdout', file])],
  },
  {
    name: 'az',
    asks: ['bicep', 'version'],
    runs: [
      ...files.map((file) => ['bicep', 'lint', '--file', file]),
      ...deployed.map((file) => ['bicep', 'build', '--stdout', '--file', file]),
    ],
  },
];
const compiler = compilers.find(({ name, asks }) => spawnSync(name, asks, { stdio: 'ignore' }).status === 0);

if (compiler === undefined) {
  console.error('No Bicep compiler: neither `bicep` nor `az bicep` runs here, so nothing was compiled.');
  console.error('test/infra/bicep.test.ts checks the grammar and the rules; the GitHub workflow compiles.');
  process.exitCode = values.required ? 1 : 0;
} else {
  const failed = compiler.runs.filter((args) => !isSilent(compiler.name, args));
  for (const args of failed) console.error(`Not silent: ${compiler.name} ${args.join(' ')}`);
  if (failed.length === 0) console.log(`The Bicep is silent under ${compiler.name}, ${files.length} files.`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function isSilent(name: string, args: readonly string[]): boolean {
  const { status, stderr } = spawnSync(name, args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // Else the Azure CLI says on each call that there is a newer compiler, which is no word about our files.
    env: { ...process.env, AZURE_BICEP_CHECK_VERSION: 'false' },
  });
  process.stderr.write(stderr);
  return status === 0 && stderr.trim() === '';
}

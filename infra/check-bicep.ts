/**
 * `npm run check:infra`: lints every Bicep file, all rules on (bicepconfig.json), and compiles those that are
 * deployed, with `bicep` or `az bicep`. The compiler only warns about a wrong property or type, so with --required,
 * as in the pipeline with its one version of the compiler, any word from it is a failure. Elsewhere only an error is:
 * a compiler that is newer than ours may know a new warning, and nobody's deployment should wait for that.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../src/command-line.ts';

const usage = `npm run check:infra -- [--required]

  --required  fail at any word from the compiler, and where there is none

Lints and compiles the Bicep with \`bicep\` or \`az bicep\`. An error is a
failure.`;
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
  const failed = compiler.runs.filter((args) => !isFine(compiler.name, args));
  const what = values.required ? 'Not silent' : 'Not compiled';
  for (const args of failed) console.error(`${what}: ${compiler.name} ${args.join(' ')}`);
  if (failed.length === 0)
    console.log(
      `The Bicep ${values.required ? 'is silent' : 'compiles'} under ${compiler.name}, ${files.length} files.`,
    );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function isFine(name: string, args: readonly string[]): boolean {
  const { status, stderr } = spawnSync(name, args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // Else the Azure CLI says on each call that there is a newer compiler, which is no word about our files.
    env: { ...process.env, AZURE_BICEP_CHECK_VERSION: 'false' },
  });
  process.stderr.write(stderr);
  return status === 0 && (!values.required || stderr.trim() === '');
}

/**
 * `npm run bench -- [--json] [--quick] [--only PART]`: what the broker costs, in ratios to other servers measured in the
 * same run. Prints what is reached, whatever it is.
 * With `--json` the last line is one object. A part that fails does not stop the others; the exit code is 1 then.
 */
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import { coresSaid, leaveServersCore } from './cores.ts';
import type { BenchOptions } from './options.ts';
import { print } from './print.ts';

interface Part {
  readonly name: string;
  /** Loads the part's module when it is its turn. */
  readonly bench: () => Promise<(options: BenchOptions) => Promise<object>>;
  /** Which member of the result its figures are; absent: they are members themselves. */
  readonly member?: string;
}
const parts: readonly Part[] = [
  { name: 'exchange', bench: async () => (await import('./exchange.ts')).exchangeBench },
  {
    name: 'upstream',
    bench: async () => (await import('./upstream.ts')).upstreamBench,
    member: 'upstream',
  },
  { name: 'memory', bench: async () => (await import('./memory.ts')).memoryBench, member: 'memory' },
  {
    name: 'coldstart',
    bench: async () => (await import('./coldstart.ts')).coldStartBench,
    member: 'coldStart',
  },
  {
    name: 'telemetry',
    bench: async () => (await import('./telemetry.ts')).telemetryBench,
    member: 'telemetry',
  },
  {
    name: 'rotation',
    bench: async () => (await import('./rotation.ts')).rotationBench,
    member: 'rotation',
  },
  { name: 'policy', bench: async () => (await import('./policy.ts')).policyBench, member: 'policy' },
  {
    name: 'revocation',
    bench: async () => (await import('./revocation.ts')).revocationBench,
    member: 'revocation',
  },
  { name: 'record', bench: async () => (await import('./record.ts')).recordBench, member: 'record' },
  { name: 'entries', bench: async () => (await import('./entries.ts')).entriesBench, member: 'entries' },
];
type Figures = Record<string, unknown>;

const usage = `npm run bench -- [--json] [--quick] [--only PART]

  --json       the last line is one JSON object
  --quick      each measurement once and short: whether it works, not
               how fast it is
  --only PART  one of
${parts.map(({ name }) => `                 ${name}`).join('\n')}`;
const { values } = readCommandLine(usage, {
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string' } },
});
const chosen = parts.filter(({ name }) => values.only === undefined || values.only === name);
if (chosen.length === 0) wrongUsage(usage, `--only: there is no part ${values.only}`);

const options: BenchOptions =
  values.quick === true ? { rounds: 1, seconds: 1, quick: true } : { rounds: 5, seconds: 3, quick: false };
leaveServersCore();
console.log(coresSaid);

const results: Figures = {};
for (const part of chosen) {
  const startedMs = performance.now();
  console.log(`\n${part.name} …`);
  try {
    const bench = await part.bench();
    const figures = await bench(options);
    const result = part.member === undefined ? figures : { [part.member]: figures };
    Object.assign(results, result);
    for (const [title, values] of Object.entries(result)) print(title, values);
  } catch (error) {
    process.exitCode = 1;
    console.error(`${part.name} failed: ${error instanceof Error ? error.stack : error}`);
  }
  console.log(`(${Math.round((performance.now() - startedMs) / 1000)} s)`);
}
if (values.json) console.log(JSON.stringify(results));

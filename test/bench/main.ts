/**
 * `npm run bench -- [--json] [--only exchange|coldstart|memory|upstream|rotation|revocation]`: what the broker
 * costs, in ratios to other servers measured in the same run. Prints what is reached, whatever it is.
 * With `--json` the last line is one object. A part that fails does not stop the others; the exit code is 1 then.
 */
import { parseArgs } from 'node:util';

/** A part, the function of its module that runs it, and the member of the result that it is. */
const parts = [
  { name: 'exchange', bench: 'exchangeBench' },
  { name: 'upstream', bench: 'upstreamBench', member: 'upstream' },
  { name: 'memory', bench: 'memoryBench', member: 'memory' },
  { name: 'coldstart', bench: 'coldStartBench', member: 'coldStart' },
  { name: 'rotation', bench: 'rotationBench', member: 'rotation' },
  { name: 'revocation', bench: 'revocationBench', member: 'revocation' },
] as const;
type Figures = Record<string, unknown>;

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const chosen = parts.filter(({ name }) => values.only === undefined || values.only === name);
if (chosen.length === 0) {
  console.error(`--only takes one of ${parts.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const results: Figures = {};
for (const part of chosen) {
  const startedMs = performance.now();
  console.log(`\n${part.name} …`);
  try {
    const module = (await import(`./${part.name}.ts`)) as Record<string, () => Promise<Figures>>;
    const figures = await module[part.bench]?.();
    const result = 'member' in part ? { [part.member]: figures } : figures;
    Object.assign(results, result);
    for (const [title, values] of Object.entries(result ?? {})) print(title, values as Figures);
  } catch (error) {
    process.exitCode = 1;
    console.error(`${part.name} failed: ${error instanceof Error ? error.stack : error}`);
  }
  console.log(`(${Math.round((performance.now() - startedMs) / 1000)} s)`);
}
if (values.json) console.log(JSON.stringify(results));

function print(title: string, values: Figures): void {
  const cells = Object.entries(values).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  console.log(`  ${title.padEnd(13)}${cells.join(' · ')}`);
}

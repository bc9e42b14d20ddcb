/**
 * `npm run simulate -- --runs 10000 --seed 1 [--mutate NAME] [--beyond NAME] [--violations N] [--trace] [--json]`:
 * random schedules of the rotation, run i with seed + i. Exit 1 at a violation; `--runs 1 --seed N --trace`
 * replays one exactly.
 */
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import { ASSUMED, type Assumptions, BEYOND } from './assumptions.ts';
import { MUTATIONS, mutate } from './mutations.ts';
import { type Part, partOf, partsFor, runInParts } from './parts.ts';
import { type Found, merged, type Report, tell } from './report.ts';
import type { Run } from './run.ts';

/** Of a violation, the last so many lines are kept. */
const TRACE_LINES = 60;

const usage = `npm run simulate -- [options]

  --runs N          how many schedules (default 10000)
  --seed N          the first schedule's seed; the next one has seed N + 1
                    (default 1)
  --mutate NAME     breaks the machine in a named way, which must be found
  --list-mutations  prints the names
  --beyond NAME     leaves what is assumed of Azure and of the instances:
                    ${Object.keys(BEYOND).join(' or ')}
  --violations N    stops after so many (default 20)
  --trace           prints what happens in a schedule, step by step
                    (for --runs 1)
  --json            the last line is one JSON object

Many schedules run on all cores.`;
const { values } = readCommandLine(usage, {
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    mutate: { type: 'string' },
    beyond: { type: 'string' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    // A broken machine breaks often: so many show it.
    violations: { type: 'string', default: '20' },
    'list-mutations': { type: 'boolean', default: false },
    // One process's part of the runs, as parts.ts gives it: 0/2 is every second one, from the first on.
    part: { type: 'string' },
  },
});
if (values['list-mutations']) {
  process.stdout.write(`${Object.keys(MUTATIONS).join('\n')}\n`);
} else {
  for (const count of [values.runs, values.seed, values.violations])
    if (!/^[0-9]+$/.test(count) || Number(count) > Number.MAX_SAFE_INTEGER) wrong(`not a number: ${count}`);
  if (Number(values.runs) === 0) wrong('--runs must be 1 or more');
  if (values.mutate !== undefined && !Object.hasOwn(MUTATIONS, values.mutate))
    wrong(`no such mutation: ${values.mutate}`);
  if (values.beyond !== undefined && !Object.hasOwn(BEYOND, values.beyond))
    wrong(`--beyond is one of ${Object.keys(BEYOND).join(', ')}`);
  const startedAt = performance.now();
  const parts = values.part === undefined && !values.trace ? partsFor(Number(values.runs)) : 1;
  const found =
    parts > 1
      ? await runInParts(process.argv.slice(2), parts, Number(values.violations))
      : await simulate(partOf(values.part));
  const report: Report = { ...found, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${tell(report)}\n`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

function wrong(why: string): never {
  return wrongUsage(usage, why);
}

async function simulate({ index, of }: Part): Promise<Found> {
  const isMutated = values.mutate === undefined ? () => true : mutate(values.mutate);
  const assumptions = BEYOND[values.beyond ?? ''] ?? ASSUMED;
  // A mutated source must be loaded after the hook: nothing that this file imports loads one.
  const { runSchedule } = await import('./run.ts');
  if (!isMutated()) throw new Error('the mutated source was loaded before it was mutated');
  Error.stackTraceLimit = values.trace ? 10 : 0;
  let found: Found = { runs: 0, violations: [], steps: {}, faults: {}, reached: {} };
  const max = Number(values.violations);
  for (let run = index; run < Number(values.runs) && found.violations.length < max; run += of) {
    const seed = Number(values.seed) + run;
    const print = values.trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
    const { violations, steps, reached } = await runSchedule(seed, print, assumptions);
    const [first] = violations;
    const shown =
      first === undefined
        ? []
        : [{ seed, invariant: first.invariant, trace: await traceOf(runSchedule, assumptions, seed) }];
    found = merged([found, { runs: 1, violations: shown, steps, faults: {}, reached }], max);
  }
  return found;
}

/** The schedule once more, with what happened up to the first violation. */
async function traceOf(runSchedule: Run, assumptions: Assumptions, seed: number): Promise<string[]> {
  const lines: string[] = [];
  await runSchedule(seed, (line) => lines.push(line), assumptions);
  const at = lines.findIndex((line) => line.includes(' VIOLATED '));
  return lines.slice(Math.max(0, at + 1 - TRACE_LINES), at + 1);
}

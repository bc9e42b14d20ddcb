/**
 * `npm run simulate -- --runs 10000 --seed 1 [--mutate NAME] [--violations N] [--trace] [--json]`: random schedules of the
 * rotation, run i with seed + i. Exit 1 at a violation; `--runs 1 --seed N --trace` replays one exactly.
 */
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import { MUTATIONS, mutate } from './mutations.ts';
import type { RunReport } from './run.ts';

const usage = `npm run simulate -- [--runs N] [--seed N] [--mutate NAME] [--list-mutations] [--violations N] [--trace] [--json]

  --runs N          how many schedules (default 10000)
  --seed N          the first schedule's seed; the next one has seed N + 1 (default 1)
  --mutate NAME     breaks the machine in a named way, which must be found
  --list-mutations  prints the names
  --violations N    stops after so many (default 20)
  --trace           prints what happens in a schedule, step by step: for --runs 1
  --json            the last line is one JSON object`;
const { values } = readCommandLine(usage, {
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    mutate: { type: 'string' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    // A broken machine breaks often: so many show it.
    violations: { type: 'string', default: '20' },
    'list-mutations': { type: 'boolean', default: false },
  },
});
if (values['list-mutations']) {
  process.stdout.write(`${Object.keys(MUTATIONS).join('\n')}\n`);
} else {
  for (const count of [values.runs, values.seed, values.violations])
    if (!/^[0-9]+$/.test(count) || Number(count) > Number.MAX_SAFE_INTEGER) wrong(`not a number: ${count}`);
  if (Number(values.runs) === 0) wrong('--runs must be 1 or more');
  if (values.mutate !== undefined) {
    if (!Object.hasOwn(MUTATIONS, values.mutate)) wrong(`no such mutation: ${values.mutate}`);
    mutate(values.mutate);
  }
  // A mutated source must be loaded after the hook.
  const { runSchedule } = await import('./run.ts');
  Error.stackTraceLimit = values.trace ? 10 : 0;
  process.exitCode = await simulate(runSchedule, Number(values.runs), Number(values.seed));
}

function wrong(why: string): never {
  return wrongUsage(usage, why);
}

async function simulate(
  runSchedule: (seed: number, trace?: (line: string) => void) => Promise<RunReport>,
  runs: number,
  firstSeed: number,
): Promise<number> {
  const startedAt = performance.now();
  const violations: { seed: number; invariant: string; trace: string[] }[] = [];
  const steps: Record<string, number> = {};
  const faults: Record<string, number> = {};
  let run = 0;
  for (; run < runs && violations.length < Number(values.violations); run += 1) {
    const seed = firstSeed + run;
    const print = values.trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
    const report = await runSchedule(seed, print);
    add(steps, report.steps);
    add(faults, report.faults);
    const [first] = report.violations;
    if (first !== undefined) {
      violations.push({ seed, invariant: first.invariant, trace: await traceOf(runSchedule, seed) });
    }
  }
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  if (values.json)
    process.stdout.write(`${JSON.stringify({ runs: run, violations, steps, faults, seconds })}\n`);
  else tell(run, violations, steps, seconds);
  return violations.length === 0 ? 0 : 1;
}

/** The schedule once more, with all that happened up to the first violation. */
async function traceOf(
  runSchedule: (seed: number, trace?: (line: string) => void) => Promise<RunReport>,
  seed: number,
): Promise<string[]> {
  const lines: string[] = [];
  await runSchedule(seed, (line) => lines.push(line));
  const at = lines.findIndex((line) => line.includes(' VIOLATED '));
  return lines.slice(Math.max(0, at - 20), at + 1);
}

function tell(
  runs: number,
  violations: readonly { seed: number; invariant: string; trace: string[] }[],
  steps: Readonly<Record<string, number>>,
  seconds: number,
): void {
  const lines = violations.flatMap(({ seed, invariant, trace }) => [
    `\nseed ${seed} violates: ${invariant}`,
    ...trace.map((line) => `  ${line.slice(0, 300)}`),
  ]);
  const made = Object.entries(steps).map(([step, count]) => `${count} ${step}`);
  lines.push(`${runs} schedules in ${seconds} s, ${violations.length} violations; steps: ${made.join(', ')}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function add(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}

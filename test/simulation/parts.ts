/** Many schedules on all cores: each of some processes like this one runs a part of the seeds, and the parts add up. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { type Found, merged } from './report.ts';

/** Which of the runs a process makes: the run number i if i modulo `of` is `index`. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** @param text as `--part` has it, `0/2` for example; undefined: all runs */
export function partOf(text: string | undefined): Part {
  const [index = 0, of = 1] = (text ?? '0/1').split('/').map(Number);
  return { index, of };
}

/** So few schedules are run before a second process has started. */
const MIN_RUNS_A_PART = 200;

export function partsFor(runs: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(runs / MIN_RUNS_A_PART)));
}

/** @param args the command's own arguments @throws Error when a part broke, rather than found a violation */
export async function runInParts(args: readonly string[], of: number, maxViolations: number): Promise<Found> {
  const reports = await Promise.all(
    Array.from({ length: of }, async (_, index) => {
      const { stdout } = await started([...args, '--json', '--part', `${index}/${of}`]);
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Found;
    }),
  );
  return merged(reports, maxViolations);
}

async function started(args: readonly string[]): Promise<{ stdout: string }> {
  const [script = ''] = process.argv.slice(1);
  try {
    return await promisify(execFile)(process.execPath, [script, ...args], { maxBuffer: 1 << 30 });
  } catch (error) {
    // Exit code 1 says that there are violations, which are in the report.
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    if (code === 1 && stdout !== undefined && stdout !== '') return { stdout };
    throw error;
  }
}

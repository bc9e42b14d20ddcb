/** What the broker's instances use up, read from the system. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The processes below `launcher`, itself among them. */
export function processesOf(launcher: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [launcher];
  for (const parent of found)
    found.push(...pairs.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid] : [])));
  return found;
}

const argumentsOf = (pid: number): string =>
  spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;

/** Those of them that answer callers. */
export const instancesOf = (launcher: number): number[] =>
  processesOf(launcher).filter((pid) => {
    const args = argumentsOf(pid);
    return args.includes('/instance.ts') && !args.includes('functions/rotator');
  });

/** Those that run the rotator app; none in a checkout from before the two apps. */
export const rotatorsOf = (launcher: number): number[] =>
  processesOf(launcher).filter((pid) => argumentsOf(pid).includes('functions/rotator'));

/** The processor time that these have used so far, in ms; undefined where there is no /proc. */
export function processorMs(pids: readonly number[]): number | undefined {
  try {
    let ticks = 0;
    for (const pid of pids) {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      ticks += Number(fields[11]) + Number(fields[12]);
    }
    // Linux counts them in hundredths of a second for every program (USER_HZ).
    return ticks * 10;
  } catch {
    return undefined;
  }
}

export function residentMiB(pids: readonly number[]): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', pids.join()], { encoding: 'utf8' });
  const kibibytes = stdout.split('\n').map(Number);
  return Math.round(kibibytes.reduce((sum, one) => sum + one, 0) / 1024);
}

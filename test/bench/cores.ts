/**
 * The server that is measured has a processor core to itself. Load, Azurite and the simulated Azure share the others,
 * so that a server that asks much of them is not charged for it twice, and one that leaves them idle gains nothing.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Cores {
  readonly server: string;
  readonly others: string;
}

/** Undefined without `taskset` (Linux) or with one core: then everything shares what there is, and the result says so. */
const cores: Cores | undefined = findCores();

export const KEPT_APART = cores !== undefined;
export const coresSaid =
  cores === undefined
    ? 'server and load share the cores: there is no taskset here, or one core'
    : `server on core ${cores.server}, everything else on ${cores.others}`;

/** This process, and all that it starts from now on, on the cores that are not the server's. */
export function leaveServersCore(): void {
  if (cores !== undefined) pin(process.pid, cores.others);
}

/** A process that is measured, and all of its threads. */
export function giveServersCore(pid: number): void {
  if (cores !== undefined) pin(pid, cores.server);
}

function pin(pid: number, to: string): void {
  const { status, stderr } = spawnSync('taskset', ['-acp', to, String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset: ${stderr}`);
}

function findCores(): Cores | undefined {
  const { status, stdout } = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const [server, ...others] = (stdout.split(':').at(-1) ?? '')
    .trim()
    .split(',')
    .flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
  return server === undefined || others.length === 0
    ? undefined
    : { server: String(server), others: others.join(',') };
}

/** Hundredths of a second, on every Linux that Node runs on. */
const TICK_MICROS = 10_000;

/** The processor time that a process has used, its helper threads' too. Undefined where `/proc` is not. */
export function cpuMicrosOf(pid: number): number | undefined {
  try {
    // The command's name is in parentheses and may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Starts the local mode as a person does, in processes of its own. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

export interface Started {
  readonly process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

export function start(command: string, args: readonly string[], environment: object = {}): Started {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, npm_config_loglevel: 'error', ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { process: child, stdout: () => stdout, stderr: () => stderr, exited };
}

export const startLauncher = (...args: string[]): Started =>
  start(process.execPath, [join(root, 'src/local/main.ts'), ...args]);

/** Resolves when `done` is true. @throws Error after 45 s, with what was written. */
export async function until(started: Started, done: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 45_000;
  while (!(await done())) {
    if (performance.now() > giveUpAt) throw new Error(`${started.stdout()}\n${started.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The description, from the one line on stdout. */
export async function described(started: Started) {
  await until(started, () => started.stdout().includes('\n') || started.process.exitCode !== null);
  return JSON.parse(started.stdout());
}

/** All processes that `pid` started, and theirs. */
export function descendants(pid: number): number[] {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    processes.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
}

export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  // A process that is dead and whose parent has not asked for its exit code yet is a zombie (Z): it runs no more.
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

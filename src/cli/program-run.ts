/** Runs a program as if it had been typed: its streams, signals and exit code are this command's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { World } from './world.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGCONT'] as const;
/** A terminal sends these to the program itself, as it does to every process in its foreground. */
const BY_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT'];

/** @returns the program's exit code; 128 and the number of the signal that ended it, as shells count */
export async function runProgram(
  { stdin, stderr }: Pick<World, 'stdin' | 'stderr'>,
  [file = '', ...args]: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals): void => {
    if (stdin.isTTY === true && BY_TERMINAL.includes(signal)) return;
    child?.kill(signal);
  };
  // Before the program runs: a signal in between would end this command and leave the program alive.
  for (const signal of FORWARDED) process.on(signal, forward);
  const started = spawn(file, args, {
    stdio: 'inherit',
    env,
    // npm and others are .cmd files there, which only a shell starts.
    shell: process.platform === 'win32' && !/\.(exe|com)$/i.test(file),
  });
  child = started;
  try {
    return await new Promise((resolve) => {
      started.on('error', (error: NodeJS.ErrnoException) => {
        const isAbsent = error.code === 'ENOENT';
        stderr.write(
          `${file}: ${isAbsent ? 'there is no such program' : `it cannot be started (${error.code})`}.\n`,
        );
        resolve(isAbsent ? 127 : 126);
      });
      started.on('close', (code, signal) =>
        resolve(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)),
      );
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

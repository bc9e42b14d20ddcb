/** The command `azure-ai-token-broker`, on a real machine. */
import { findRunning } from '../local/running.ts';
import { runCommandLine } from './program.ts';
import type { Output, World } from './world.ts';

const ended = new AbortController();
const args = process.argv.slice(2);
// `run` hands them to its program.
if (args[0] !== 'run')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => ended.abort(signal));

const outputOf = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  isTerminal: stream.isTTY === true,
  columns: stream.isTTY ? stream.columns : undefined,
});

// Whoever reads has had enough, as `head` has: nothing is wrong, and nobody is there to be told.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const world: World = {
  env: process.env,
  // Made when it is read: what `--help` has no need of costs it nothing.
  get stdin() {
    return process.stdin;
  },
  stdout: outputOf(process.stdout),
  get stderr() {
    return outputOf(process.stderr);
  },
  nowMs: Date.now,
  findRunning,
  fetch: (...sent) => fetch(...sent),
  signal: ended.signal,
};
process.exitCode = await runCommandLine(world, args);
// A credential may keep a connection open, which would hold the process for seconds; what was written goes out first.
process.stdout.write('', () => process.exit());

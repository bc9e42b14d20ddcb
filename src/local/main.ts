/** `npm start`: the broker with a simulated Azure, on this machine. */

import { writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { wrongUsage } from '../command-line.ts';
import { writeFirstFiles } from './first-files.ts';
import { descriptionFileIn, greeting, logFileIn } from './greeting.ts';
import { createLogLines } from './log-lines.ts';
import { type Options, readOptions, usage } from './options.ts';
import { announce } from './running.ts';

/** The promise is that nothing is left after 5 s. */
const lastMs = 4800;

const options = parse();
const lines = createLogLines(options.json ? process.stderr : process.stdout);

// Half of the start is the compiling of dependencies. The children take the folder from the environment.
const compiled = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'local-mode');
enableCompileCache(compiled);
process.env['NODE_COMPILE_CACHE'] ??= compiled;

let ending = false;
const { launch } = await import('./launch.ts');
const running = launch({ ...options, log: lines.log, failed: (why) => end(1, why) });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0));
endWithParent();

try {
  const { description, dataFolder, policy } = await running;
  // On a person's screen the log would push the next steps out of sight.
  lines.follow(logFileIn(dataFolder), !options.json);
  // The demo callers' secrets are in it.
  writeFileSync(descriptionFileIn(dataFolder), JSON.stringify(description), { mode: 0o600 });
  writeFirstFiles(description, dataFolder);
  announce(descriptionFileIn(dataFolder));
  process.stdout.write(
    options.json
      ? `${JSON.stringify(description)}\n`
      : greeting(description, dataFolder, policy, options.policy),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

function end(code: number, why?: string): void {
  if (ending) return;
  ending = true;
  if (why !== undefined) console.error(why);
  setTimeout(() => process.exit(1), lastMs).unref();
  running
    .then((started) => started.stop())
    .then(lines.close)
    .then(
      () => process.exit(code),
      // Why it did not start is told above.
      () => process.exit(1),
    );
}

/** Whoever started this may be killed without a word: then nothing here may stay. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(0), 250).unref();
}

function parse(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    return wrongUsage(usage, error instanceof Error ? error.message : String(error));
  }
}

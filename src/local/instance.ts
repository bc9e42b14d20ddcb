/** One broker instance: the embedded host with the function files, in a process of its own. */
import { beChild } from './child.ts';
import { type RunningHost, startHost } from './host/host.ts';
import { portTaken } from './port-taken.ts';
import { findRunning } from './running.ts';

export interface InstanceOptions {
  readonly appFolder: string;
  readonly port: number;
  readonly timers: boolean;
  readonly timerState: string;
}

/** All of the local mode is gone in 5 s. */
const graceMs = 2000;

const options = JSON.parse(process.argv[2] ?? '') as InstanceOptions;
let host: RunningHost | undefined;
const { clock, report, settings } = beChild(async () => host?.close(graceMs));

/** As in Azure: what was in flight is answered 500, and a new worker without memory follows. */
function lost(why: string): never {
  console.error(why);
  host?.abort();
  // The launcher starts the next one.
  process.exit(70);
}
process.on('uncaughtException', (error) => lost(`Worker uncaught exception: ${error.stack}`));

try {
  process.chdir(options.appFolder);
  host = await startHost({
    ...options,
    log: (line) => console.log(line),
    now: clock.now,
    sleepUntil: clock.sleepUntil,
    async bound(url) {
      report({ kind: 'bound', urls: [url] });
      Object.assign(process.env, await settings);
    },
    timedOut: (name) => lost(`Restarting worker process: '${name}' ran out of time`),
  });
  if (host.loadError) throw host.loadError;
  report({ kind: 'ready' });
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const why = code === 'EADDRINUSE' ? portTaken(options.port, findRunning()) : String(error);
  report({ kind: 'failed', why });
  process.exitCode = 1;
  process.disconnect?.();
}

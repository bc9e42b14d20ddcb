/** One instance of an app: the embedded host with the app's function files, in a process of its own. */
import { beChild } from './child.ts';
import { type RunningHost, startHost } from './host/host.ts';
import { portTaken } from './port-taken.ts';
import { findRunning } from './running.ts';

export interface InstanceOptions {
  readonly appFolder: string;
  /** In lists of processes it tells the instances apart. */
  readonly name: string;
  readonly port: number;
  readonly timerState: string;
}

/** All of the local mode is gone in 5 s. */
const graceMs = 2000;

const options = JSON.parse(process.argv[2] ?? '') as InstanceOptions;
let host: RunningHost | undefined;
let elsewhere: string | undefined;
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
    timers: true,
    elsewhere: () => elsewhere,
    log: (line) => console.log(line),
    now: clock.now,
    sleepUntil: clock.sleepUntil,
    async bound(url) {
      report({ kind: 'bound', urls: [url] });
      const order = await settings;
      // What the launcher's own environment has for one app is refused by the other.
      for (const name of Object.keys(process.env)) if (name.startsWith('BROKER_')) delete process.env[name];
      Object.assign(process.env, order.settings);
      elsewhere = order.elsewhere;
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

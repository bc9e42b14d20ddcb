/** The broker instances, each a process: started, given their settings, and started again when they crash. */
import { join } from 'node:path';
import { type ChildHandle, startChild } from './children.ts';
import type { ClockState } from './clock.ts';
import type { InstanceOptions } from './instance.ts';

const appFolder = join(import.meta.dirname, '..', '..');
/** An instance that crashes more often than this in a minute is not started again. */
const maxCrashesAMinute = 5;

export interface InstancesOptions {
  readonly count: number;
  /** Of the first; the others take free ones. */
  readonly port: number;
  readonly dataFolder: string;
  /** The certificate authority's file, which Node reads when a process starts. */
  readonly ca: string;
  /** What the clock of the instance shows that is called so. */
  readonly clockOf: (name: string) => ClockState;
  /** An instance that ended is about to be started again, and will read its policy anew. */
  readonly beforeRestart: () => void;
  readonly log: (line: string) => void;
  /** One cannot be kept running. */
  readonly failed: (why: string) => void;
}
export interface Instances {
  /** Those that run now. */
  children(): readonly ChildHandle[];
  /** Their URLs, before their app is loaded. Rejects where a port is taken. */
  readonly bound: Promise<readonly string[]>;
  /** Lets them load the app with these settings. Resolves when all answer. */
  configure(settings: Readonly<Record<string, string>>): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

export function startInstances(options: InstancesOptions): Instances {
  const { log, failed } = options;
  const running: ChildHandle[] = [];
  let settings: Readonly<Record<string, string>> = {};
  let stopping = false;

  function start(index: number, port: number): ChildHandle {
    return startChild({
      name: nameOf(index),
      script: new URL('./instance.ts', import.meta.url),
      options: {
        appFolder,
        port,
        // One instance has the timers, as a storage lease makes it in Azure.
        timers: index === 0,
        timerState: join(options.dataFolder, 'timers.json'),
      } satisfies InstanceOptions,
      clock: options.clockOf(nameOf(index)),
      environment: { NODE_EXTRA_CA_CERTS: options.ca },
      // V8 sizes its heap by the machine. The smallest instance in Azure has 512 MB, the host included; what
      // an exchange leaves behind is short-lived, and a larger heap is no faster.
      execArgv: ['--max-semi-space-size=16', '--max-old-space-size=192'],
      log: options.count === 1 ? log : (line) => log(`${index + 1} ${line}`),
      died: (why) => void startAgain(index, why),
    });
  }

  const crashes = new Map<number, number[]>();
  async function startAgain(index: number, why: string): Promise<void> {
    const now = performance.now();
    const recent = (crashes.get(index) ?? []).filter((atMs) => now - atMs < 60_000);
    crashes.set(index, [...recent, now]);
    if (stopping) return;
    if (recent.length >= maxCrashesAMinute) return failed(`${nameOf(index)}: ${why}, and too often before`);
    log(`${nameOf(index)}: ${why}; starting it again`);
    try {
      const [url = ''] = (await running[index]?.bound) ?? [];
      const { port } = new URL(url);
      // It may have ended with everything else in the meantime.
      if (stopping) return;
      options.beforeRestart();
      const next = start(index, Number(port));
      running[index] = next;
      next.send({ kind: 'settings', settings });
      await next.ready;
    } catch (error) {
      if (!stopping) failed(error instanceof Error ? error.message : String(error));
    }
  }

  for (let index = 0; index < options.count; index++)
    running.push(start(index, index === 0 ? options.port : 0));
  return {
    children: () => running,
    bound: Promise.all(running.map(async ({ bound }) => (await bound)[0])),
    async configure(given) {
      settings = given;
      for (const instance of running) instance.send({ kind: 'settings', settings });
      await Promise.all(running.map(({ ready }) => ready));
    },
    async stop(graceMs) {
      stopping = true;
      await Promise.all(running.map((instance) => instance.stop(graceMs)));
    },
  };
}

/** In messages, and for the control service. */
export const nameOf = (index: number): string => `instance-${index + 1}`;

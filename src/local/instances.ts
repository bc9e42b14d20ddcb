/** The instances of the two apps, each a process: started, given their settings, and started again when they crash. */
import { join } from 'node:path';
import type { SettingsOrder } from './child.ts';
import { type ChildHandle, startChild } from './children.ts';
import type { ClockState } from './clock.ts';
import type { AppName, Settings } from './environment.ts';
import type { InstanceOptions } from './instance.ts';

const functions = join(import.meta.dirname, '..', '..', 'functions');
/** An instance that crashes more often than this in a minute is not started again. */
const maxCrashesAMinute = 5;

export interface HostSpec {
  /** In messages, and for the control service. */
  readonly name: string;
  readonly app: AppName;
  /** 0 picks one. */
  readonly port: number;
  /** Begins each of its log lines. */
  readonly prefix: string;
}
export interface InstancesOptions {
  readonly hosts: readonly HostSpec[];
  readonly dataFolder: string;
  /** The certificate authority's file, which Node reads when a process starts. */
  readonly ca: string;
  /** What the clock of the instance shows that is called so. */
  readonly clockOf: (name: string) => ClockState;
  /** An instance that ended has been started again. */
  readonly restarted: (app: AppName) => Promise<void>;
  readonly log: (line: string) => void;
  /** One cannot be kept running. */
  readonly failed: (why: string) => void;
}
export interface Instances {
  /** Those that run now. */
  children(): readonly ChildHandle[];
  /** Their URLs, before their app is loaded. Rejects where a port is taken. */
  readonly bound: Promise<readonly string[]>;
  /** Lets them load their apps with these settings. Resolves when all answer. */
  configure(settings: Readonly<Record<AppName, Settings>>): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

export function startInstances(options: InstancesOptions): Instances {
  const { log, failed } = options;
  const running: ChildHandle[] = [];
  let orders: Partial<Record<AppName, SettingsOrder>> = {};
  let stopping = false;

  function start({ name, app, prefix }: HostSpec, index: number, port: number): ChildHandle {
    return startChild({
      name,
      script: new URL('./instance.ts', import.meta.url),
      options: {
        appFolder: join(functions, app),
        name,
        port,
        timerState: join(options.dataFolder, 'timers.json'),
      } satisfies InstanceOptions,
      clock: options.clockOf(name),
      environment: { NODE_EXTRA_CA_CERTS: options.ca },
      // V8 sizes its heap by the machine. The smallest instance in Azure has 512 MB, the host included; what
      // an exchange leaves behind is short-lived, and a larger heap is no faster.
      execArgv: ['--max-semi-space-size=16', '--max-old-space-size=192'],
      log: prefix === '' ? log : (line) => log(`${prefix} ${line}`),
      died: (why) => void startAgain(index, why),
    });
  }

  const crashes = new Map<number, number[]>();
  async function startAgain(index: number, why: string): Promise<void> {
    const host = options.hosts[index];
    if (host === undefined) return;
    const { name, app } = host;
    const now = performance.now();
    const recent = (crashes.get(index) ?? []).filter((atMs) => now - atMs < 60_000);
    crashes.set(index, [...recent, now]);
    if (stopping) return;
    if (recent.length >= maxCrashesAMinute) return failed(`${name}: ${why}, and too often before`);
    log(`${name}: ${why}; starting it again`);
    try {
      const [url = ''] = (await running[index]?.bound) ?? [];
      const { port } = new URL(url);
      // It may have ended with everything else in the meantime.
      if (stopping) return;
      const next = start(host, index, Number(port));
      running[index] = next;
      const order = orders[app];
      if (order !== undefined) next.send(order);
      await next.ready;
      if (!stopping) await options.restarted(app);
    } catch (error) {
      if (!stopping) failed(error instanceof Error ? error.message : String(error));
    }
  }

  for (const [index, host] of options.hosts.entries()) running.push(start(host, index, host.port));
  const urls = Promise.all(running.map(async ({ bound }) => (await bound)[0]));
  return {
    children: () => running,
    bound: urls,
    async configure(settings) {
      const bound = await urls;
      const rotator = bound[options.hosts.findIndex(({ app }) => app === 'rotator')];
      orders = {
        issuer: { kind: 'settings', settings: settings.issuer, elsewhere: rotator },
        rotator: { kind: 'settings', settings: settings.rotator },
      };
      for (const [index, { app }] of options.hosts.entries()) {
        const order = orders[app];
        if (order !== undefined) running[index]?.send(order);
      }
      await Promise.all(running.map(({ ready }) => ready));
    },
    async stop(graceMs) {
      stopping = true;
      await Promise.all(running.map((instance) => instance.stop(graceMs)));
    },
  };
}

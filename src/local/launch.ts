/** Starts everything of the local mode, and ends it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { type RunningAzure, startAzure } from './azure/start.ts';
import { type ChildHandle, startChild } from './children.ts';
import { createClock, installVirtualDate } from './clock.ts';
import { brokerSettings, ownSettings } from './environment.ts';
import type { InstanceOptions } from './instance.ts';
import type { Options } from './options.ts';
import { createTablesAt } from './tables.ts';
import { createVirtualTime, firstState, keepAhead } from './virtual-time.ts';

const appFolder = join(import.meta.dirname, '..', '..');
const defaultPort = 7071;
/** What is in flight may finish for 2 s (instance.ts); then it is cut off. */
const instanceGraceMs = 2300;
const azuriteGraceMs = 400;
/** An instance that crashes more often than this in a minute is not started again. */
const maxCrashesAMinute = 5;

export interface Description {
  readonly broker: string;
  readonly instances: readonly string[];
  readonly ca: string;
  readonly entra: RunningAzure['entra'];
  readonly keyVault: string;
  readonly arm: string;
  readonly tables: string;
  readonly control: string;
  readonly callers: RunningAzure['callers'];
  readonly resources: RunningAzure['resources'];
  /** Settings with which a Functions host started by hand joins this Azure. */
  readonly environment: Readonly<Record<string, string>>;
}
export interface Running {
  readonly description: Description;
  readonly dataFolder: string;
  stop(): Promise<void>;
}
export interface LaunchOptions extends Options {
  readonly log: (line: string) => void;
  /** Something died that cannot be started again. */
  readonly failed: (why: string) => void;
}

/**
 * @throws Error that says what could not be started, and ConfigError for settings of the person's own that are
 * wrong; what had been started is ended first.
 */
export async function launch(options: LaunchOptions): Promise<Running> {
  const { log } = options;
  const temporary = options.data === undefined;
  const dataFolder = options.data ?? mkdtempSync(join(tmpdir(), 'ai-token-broker-'));
  mkdirSync(dataFolder, { recursive: true });
  const removeFolder = () => {
    if (temporary) rmSync(dataFolder, { recursive: true, force: true });
  };
  process.once('exit', removeFolder);

  const clockFile = join(dataFolder, 'clock.json');
  const clock = createClock(firstState(clockFile, options.speed));
  installVirtualDate(clock);
  const keepTime = () => keepAhead(clockFile, clock);
  // At speed 1 only a jump changes how far ahead it is.
  const keepingTime = setInterval(() => clock.state().speed !== 1 && keepTime(), 1000).unref();

  const instances: ChildHandle[] = [];
  let azurite: ChildHandle | undefined;
  let azure: RunningAzure | undefined;
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      await Promise.all(instances.map((instance) => instance.stop(instanceGraceMs)));
      await azure?.close();
      await azurite?.stop(azuriteGraceMs);
      clearInterval(keepingTime);
      keepTime();
      removeFolder();
    })();
    return stopping;
  };

  function startInstance(index: number, port: number, environment: Record<string, string>): ChildHandle {
    const crashes: number[] = [];
    const name = `instance ${index + 1}`;
    const start = (at: number): ChildHandle => {
      const child = startChild({
        name,
        script: new URL('./instance.ts', import.meta.url),
        // One instance has the timers, as a storage lease makes it in Azure.
        options: {
          appFolder,
          port: at,
          timers: index === 0,
          timerState: join(dataFolder, 'timers.json'),
        } satisfies InstanceOptions,
        clock: clock.state(),
        environment,
        // What an exchange leaves behind is short-lived: left to itself V8 keeps 60 MB more for it, and is no faster.
        execArgv: ['--max-semi-space-size=8'],
        log: options.instances === 1 ? log : (line) => log(`${index + 1} ${line}`),
        died(why) {
          if (stopping) return;
          crashes.push(performance.now());
          const recent = crashes.filter((atMs) => performance.now() - atMs < 60_000).length;
          if (recent > maxCrashesAMinute)
            return options.failed(`${name}: ${why}, ${recent} times in a minute`);
          log(`${name}: ${why}; starting it again`);
          void startAgain();
        },
      });
      const startAgain = async () => {
        try {
          const { port: same } = new URL(await child.bound);
          if (stopping) return;
          const next = start(Number(same));
          instances[index] = next;
          next.send({ kind: 'settings', settings: environment });
          await next.ready;
        } catch (error) {
          options.failed(error instanceof Error ? error.message : String(error));
        }
      };
      return child;
    };
    return start(port);
  }

  try {
    azurite = startChild({
      name: 'Azurite',
      script: new URL('./azurite-process.ts', import.meta.url),
      options: temporary ? {} : { folder: dataFolder },
      clock: clock.state(),
      environment: {},
      log,
      died: (why) => stopping ?? options.failed(`Azurite: ${why}`),
    });
    const tables = azurite.bound.then(async (url) => {
      await createTablesAt(`${url}/devstoreaccount1`);
      return url;
    });
    tables.catch(() => undefined);
    let azuriteUrl = '';
    let broker: string | undefined;
    const children = () => [...(azurite ? [azurite] : []), ...instances];
    azure = await startAzure({
      ports: options.port === undefined ? 'default' : 'any',
      dataFolder,
      now: clock.now,
      log,
      eventsTo: () => broker,
      tablesUrl: () => azuriteUrl,
      clock: createVirtualTime(clock, children, keepTime),
    });
    azuriteUrl = await tables;

    const policy = options.policy ?? join(dataFolder, 'policy.json');
    if (options.policy === undefined) writeFileSync(policy, JSON.stringify(azure.policy, null, 2));

    // The certificate authority is read by Node when a process starts, the rest once the issuer's URL is known.
    const settings: Record<string, string> = { NODE_EXTRA_CA_CERTS: azure.ca };
    for (let index = 0; index < options.instances; index++) {
      const port = index === 0 ? (options.port ?? defaultPort) : 0;
      instances.push(startInstance(index, port, settings));
    }
    const urls = await Promise.all(instances.map(({ bound }) => bound));
    broker = urls[0] ?? '';
    Object.assign(settings, brokerSettings(azure, broker, policy), ownSettings(process.env));
    readConfig(settings);
    for (const instance of instances) instance.send({ kind: 'settings', settings });
    await Promise.all(instances.map(({ ready }) => ready));

    const { ca, entra, keyVault, arm, control, callers, resources } = azure;
    return {
      description: {
        broker,
        instances: urls,
        ca,
        entra,
        keyVault,
        arm,
        tables: azure.tables,
        control,
        callers,
        resources,
        environment: { ...settings },
      },
      dataFolder,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts everything of the local mode, and ends it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { DEVELOPMENT_ACCOUNT } from '../facts/storage.ts';
import { loadPolicy } from '../policy/load.ts';
import { startChild } from './children.ts';
import { createClock, installVirtualDate, wallNow } from './clock.ts';
import { brokerSettings, ownSettings } from './environment.ts';
import { lockFolder } from './folder-lock.ts';
import { type Instances, nameOf, startInstances } from './instances.ts';
import { type DescribedCaller, describeCaller } from './may.ts';
import type { Options } from './options.ts';
import { createQueuesAt } from './queues.ts';
import { demoWorld } from './simulated/demo.ts';
import { localPolicy } from './simulated/local-policy.ts';
import { worldOfPolicy } from './simulated/policy-world.ts';
import { type RunningAzure, startAzure } from './simulated/start.ts';
import { createTablesAt } from './tables.ts';
import { createVirtualTime, firstState, keepAhead, type Timed } from './virtual-time.ts';

const defaultPort = 7071;
/** What is in flight may finish for 2 s (instance.ts); then it is cut off. */
const instanceGraceMs = 2300;
const azuriteGraceMs = 400;

export interface Description {
  readonly broker: string;
  readonly instances: readonly string[];
  readonly ca: string;
  readonly entra: RunningAzure['entra'];
  readonly keyVault: string;
  readonly arm: string;
  readonly tables: string;
  readonly control: string;
  readonly callers: readonly DescribedCaller[];
  readonly resources: RunningAzure['resources'];
  readonly transmitters: RunningAzure['transmitters'];
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
  try {
    mkdirSync(dataFolder, { recursive: true });
  } catch (error) {
    throw new Error(`--data: ${error instanceof Error ? error.message : error}`);
  }
  // Before anything in it is read, and without a word written there by whoever is refused.
  const lock = temporary ? undefined : lockFolder(dataFolder, wallNow());
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

  const failed = (why: string) => {
    if (!stopping) options.failed(why);
  };
  const azurite = startChild({
    name: 'Azurite',
    script: new URL('./azurite-process.ts', import.meta.url),
    options: temporary ? {} : { folder: dataFolder },
    clock: clock.state(),
    environment: {},
    log,
    died: (why) => failed(`Azurite: ${why}`),
  });
  let azure: RunningAzure | undefined;
  let instances: Instances | undefined;
  let urls: readonly string[] = [];
  const time = createVirtualTime(clock, processes, keepTime);
  let stopping: Promise<void> | undefined;
  /** An instance is known by its number and by its URL too. */
  function processes(): Timed[] {
    const running = instances?.children() ?? [];
    const timed = running.map((child, index): Timed => {
      const url = urls[index];
      return { child, names: [nameOf(index), String(index + 1), ...(url === undefined ? [] : [url])] };
    });
    return [{ names: ['tables', 'queues'], child: azurite }, ...timed];
  }
  const stop = () => {
    stopping ??= (async () => {
      await instances?.stop(instanceGraceMs);
      await azure?.close();
      await azurite.stop(azuriteGraceMs);
      clearInterval(keepingTime);
      keepTime();
      lock?.release();
      removeFolder();
    })();
    return stopping;
  };

  try {
    // The simulated services start meanwhile.
    const storageBound = azurite.bound.then(async ([tables, queues = '']) => {
      await Promise.all([
        createTablesAt(`${tables}/${DEVELOPMENT_ACCOUNT}`),
        createQueuesAt(`${queues}/${DEVELOPMENT_ACCOUNT}`),
      ]);
      return { tables, queues };
    });
    storageBound.catch(() => undefined);
    let storage = { tables: '', queues: '' };
    let broker: string | undefined;
    const { policy: policyFile } = options;
    azure = await startAzure({
      world: policyFile === undefined ? demoWorld : worldOfPolicy(readFileSync(policyFile, 'utf8')),
      ports: options.port === undefined ? 'default' : 'any',
      dataFolder,
      now: clock.now,
      log,
      eventsTo: () => broker,
      azurite: () => storage,
      clock: time,
    });
    storage = await storageBound;

    // The broker reads this one: the policy of the world, with the simulated addresses.
    const policy = join(dataFolder, 'policy.json');
    const writePolicy = (inForce: object) => writeFileSync(policy, JSON.stringify(inForce, null, 2));
    writePolicy(azure.policy);
    const port = options.port ?? defaultPort;
    const { ca } = azure;
    const { stateOf: clockOf } = time;
    const { resources, entra } = azure;
    instances = startInstances({
      count: options.instances,
      port,
      dataFolder,
      ca,
      clockOf,
      beforeRestart() {
        if (policyFile === undefined) return;
        writePolicy(localPolicy(readFileSync(policyFile, 'utf8'), resources, entra.authority));
      },
      log,
      failed,
    });
    urls = await instances.bound;
    const [first = ''] = urls;
    broker = first;
    const environment = { ...brokerSettings(azure, first, policy), ...ownSettings(process.env) };
    readConfig(environment);
    await instances.configure(environment);

    const { keyVault, arm, tables, control, transmitters } = azure;
    const inForce = loadPolicy(readFileSync(policy, 'utf8'));
    const callers = azure.callers.map((caller) => describeCaller(caller, inForce));
    const services = { entra, keyVault, arm, tables, control, callers, resources, transmitters };
    return {
      description: { broker, instances: urls, ca, ...services, environment },
      dataFolder,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts everything of the local mode, and ends it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readIssuerConfig, readRotatorConfig } from '../config.ts';
import { DEVELOPMENT_ACCOUNT } from '../facts/storage.ts';
import { loadPolicy } from '../policy/load.ts';
import { versionOf } from '../policy/version.ts';
import { startChild } from './children.ts';
import { createClock, installVirtualDate, wallNow } from './clock.ts';
import { buildConsoleIn } from './console-files.ts';
import { createContainersAt } from './containers.ts';
import { type AppName, appSettings, ownSettings, type Settings } from './environment.ts';
import { lockFolder } from './folder-lock.ts';
import { type HostSpec, type Instances, startInstances } from './instances.ts';
import { type DescribedCaller, describeCaller } from './may.ts';
import type { Options } from './options.ts';
import { type Published, publish } from './publish.ts';
import { createQueuesAt } from './queues.ts';
import { demoWorld } from './simulated/demo.ts';
import { localPolicy } from './simulated/local-policy.ts';
import { worldOfPolicy } from './simulated/policy-world.ts';
import { type RunningAzure, startAzure } from './simulated/start.ts';
import { trust } from './simulated/tls.ts';
import { createTablesAt } from './tables.ts';
import { createVirtualTime, firstState, keepAhead, type Timed } from './virtual-time.ts';

const defaultPort = 7071;
/** What is in flight may finish for 2 s (instance.ts); then it is cut off. */
const instanceGraceMs = 2300;
const azuriteGraceMs = 400;

export interface Description {
  readonly broker: string;
  /** Of the issuer app. */
  readonly instances: readonly string[];
  readonly apps: Readonly<Record<AppName, readonly string[]>>;
  /** Where a browser opens the console. */
  readonly console: string;
  readonly ca: string;
  readonly entra: RunningAzure['entra'];
  readonly keyVault: string;
  readonly arm: string;
  readonly tables: string;
  readonly control: string;
  readonly callers: readonly DescribedCaller[];
  readonly resources: RunningAzure['resources'];
  readonly transmitters: RunningAzure['transmitters'];
  /** Settings with which a Functions host started by hand joins this Azure, as one of the two apps. */
  readonly environment: Readonly<Record<AppName, Settings>>;
}
export interface Running {
  readonly description: Description;
  readonly dataFolder: string;
  /** What is in force, and whether this start has put it there over another one that the folder had. */
  readonly policy: Published;
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
  const hosts: readonly HostSpec[] = [
    ...Array.from({ length: options.instances }, (_, index) => ({
      name: `instance-${index + 1}`,
      app: 'issuer' as const,
      port: index === 0 ? (options.port ?? defaultPort) : 0,
      prefix: options.instances === 1 ? '' : String(index + 1),
    })),
    { name: 'rotator', app: 'rotator', port: 0, prefix: 'rotator' },
  ];
  /** An instance is known by its URL too, and one of the issuer app by its number. */
  function processes(): Timed[] {
    const running = instances?.children() ?? [];
    const timed = running.flatMap((child, index): Timed[] => {
      const name = hosts[index]?.name;
      if (name === undefined) return [];
      const others = [name.replace('instance-', ''), urls[index]].filter((other) => other !== undefined);
      return [{ child, names: [name, ...others] }];
    });
    return [{ names: ['tables', 'queues', 'blobs'], child: azurite }, ...timed];
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
    const consoleFiles = buildConsoleIn(dataFolder);
    consoleFiles.catch(() => undefined);
    const storageBound = azurite.bound.then(async ([tables, queues = '', blobs = '']) => {
      await Promise.all([
        createTablesAt(`${tables}/${DEVELOPMENT_ACCOUNT}`),
        createQueuesAt(`${queues}/${DEVELOPMENT_ACCOUNT}`),
        createContainersAt(`${blobs}/${DEVELOPMENT_ACCOUNT}`),
      ]);
      return { tables, queues, blobs };
    });
    storageBound.catch(() => undefined);
    let storage = { tables: '', queues: '', blobs: '' };
    const { policy: policyFile } = options;
    azure = await startAzure({
      world: policyFile === undefined ? demoWorld : worldOfPolicy(readFileSync(policyFile, 'utf8')),
      ports: options.port === undefined ? 'default' : 'any',
      dataFolder,
      now: clock.now,
      log,
      azurite: () => storage,
      clock: time,
      consoleUrls: () =>
        hosts.flatMap(({ app }, index) => (app === 'issuer' ? [`${urls[index]}/console`] : [])),
    });
    storage = await storageBound;

    // What the broker starts with where the folder has no policy yet: that of the world, with the simulated addresses.
    const policy = join(dataFolder, 'policy.json');
    writeFileSync(policy, JSON.stringify(azure.policy, null, 2));
    const { ca } = azure;
    trust(readFileSync(ca, 'utf8'));
    const { stateOf: clockOf } = time;
    const { resources, entra } = azure;
    /** The file as it is now, or else what is in force, with the addresses of this start. */
    const wanted = (inForce: object): object => {
      if (policyFile !== undefined)
        return localPolicy(readFileSync(policyFile, 'utf8'), resources, entra.authority);
      try {
        return localPolicy(JSON.stringify(inForce), resources, entra.authority);
      } catch {
        // The folder was made with a policy of one's own, whose accounts are not in the demo set.
        return azure?.policy ?? inForce;
      }
    };
    const publishNow = () =>
      publish(
        {
          broker: urls[0] ?? '',
          authority: entra.authority,
          scope: entra.scope,
          callers: azure?.callers ?? [],
        },
        policyFile === undefined
          ? 'local mode: the addresses of this start'
          : `local mode: ${policyFile}`.slice(0, 256),
        wanted,
      );
    instances = startInstances({
      hosts,
      dataFolder,
      ca,
      clockOf,
      async restarted(app) {
        if (policyFile === undefined || app !== 'issuer') return;
        try {
          const { version, changed } = await publishNow();
          if (changed) log(`${policyFile} is in force, version ${version.slice(0, 12)}`);
        } catch (error) {
          log(`${policyFile} was not put in force: ${error instanceof Error ? error.message : error}`);
        }
      },
      log,
      failed,
    });
    urls = await instances.bound;
    const of = (app: AppName) => urls.filter((_, index) => hosts[index]?.app === app);
    const apps = { issuer: of('issuer'), rotator: of('rotator') };
    const [first = ''] = apps.issuer;
    const settings = appSettings(azure, first, policy, await consoleFiles);
    const environment = {
      issuer: { ...settings.issuer, ...ownSettings('issuer', process.env) },
      rotator: { ...settings.rotator, ...ownSettings('rotator', process.env) },
    };
    readIssuerConfig(environment.issuer);
    readRotatorConfig(environment.rotator);
    await instances.configure(environment);
    await Promise.all(apps.issuer.map(untilHealthy));
    // Only in a folder of an earlier start another version can be in force. Elsewhere nothing is asked, so that the first
    // caller meets a broker that has no token and no key of Entra yet, as after a cold start in Azure.
    const text = JSON.stringify(azure.policy);
    const packaged: Published = { version: versionOf(text), text, changed: false };
    const published = temporary ? packaged : await publishNow();

    const { keyVault, arm, tables, control, transmitters } = azure;
    const decides = loadPolicy(published.text);
    const callers = azure.callers.map((caller) => describeCaller(caller, decides));
    const services = { entra, keyVault, arm, tables, control, callers, resources, transmitters };
    return {
      description: {
        broker: first,
        instances: apps.issuer,
        apps,
        console: `${first}/console`,
        ca,
        ...services,
        environment,
      },
      dataFolder,
      policy: published,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** On a busy machine a first look at the tables may take longer than a broker waits for it; the next one finds all loaded. */
const healthLooks = 8;

/** What is told is up then answers, at the first exchange too. */
async function untilHealthy(url: string): Promise<void> {
  for (let looks = 0; looks < healthLooks; looks += 1) {
    const { status } = await fetch(`${url}/health`);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

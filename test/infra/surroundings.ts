/** What the deployed folder finds around it: the simulated Azure with its tables, and a Functions host. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createQueuesAt } from '../../src/local/queues.ts';
import { demoWorld } from '../../src/local/simulated/demo.ts';
import { type RunningAzure, startAzure } from '../../src/local/simulated/start.ts';
import { trust } from '../../src/local/simulated/tls.ts';
import { createTablesAt } from '../../src/local/tables.ts';

const root = join(import.meta.dirname, '../..');
const children: ChildProcess[] = [];

/** Ends what was started here. */
export async function endProcesses(): Promise<void> {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
}

/** In this process, at the speed of the wall clock. This process trusts it from then on. */
export async function startAzureInProcess(dataFolder: string): Promise<RunningAzure> {
  const [tables, queues] = await Promise.all([startAzurite('table'), startAzurite('queue')]);
  // Nothing here asks for a blob.
  const blobs = '';
  const still = async (): Promise<void> => {};
  const azure = await startAzure({
    consoleUrls: () => ['http://127.0.0.1:7071/console'],
    world: demoWorld,
    ports: 'any',
    dataFolder,
    now: Date.now,
    log: () => {},
    azurite: () => ({ tables, queues, blobs }),
    clock: {
      state: () => ({ now: new Date().toISOString(), speed: 1 }),
      advance: still,
      setSpeed: still,
      names: [],
      setOffset: async () => false,
    },
  });
  await createTablesAt(azure.tables);
  await createQueuesAt(`${queues}/devstoreaccount1`);
  trust(azure.caPem);
  return azure;
}

export interface RunningApp {
  readonly url: string;
  readonly functions: readonly { readonly name: string; readonly type: string }[];
  /** All that the process has written until now. */
  readonly said: string;
}

/** Resolves when the host is up, and where `until` is given, when the app has said that. */
export async function startApp(
  folder: string,
  settings: Record<string, string>,
  until?: RegExp,
): Promise<RunningApp> {
  const child = fork(join(root, 'test/bench/app-process.ts'), {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => {
      said += data;
    });
  const ended = once(child, 'exit').then(() => assert.fail(`the host ended:\n${said}`));
  const [message] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  for (let waitedMs = 0; until && !until.test(said) && waitedMs < 5_000; waitedMs += 20) await sleep(20);
  return {
    ...message,
    get said() {
      return said;
    },
  };
}

async function startAzurite(service: 'table' | 'queue'): Promise<string> {
  const port = await freePort();
  const at = [`--${service}Host`, '127.0.0.1', `--${service}Port`, `${port}`];
  const quiet = ['--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry'];
  children.push(
    fork(join(root, `node_modules/azurite/dist/src/${service}/main.js`), [...at, ...quiet], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    }),
  );
  while (!(await accepts(port))) await sleep(50);
  return `http://127.0.0.1:${port}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}

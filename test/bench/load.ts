/** The same load for every server that is compared. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpuMicrosOf, giveServersCore } from './cores.ts';
import { type Connection, openConnection, requestBytes } from './wire.ts';

export const DISTINCT_CALLERS = 50;

/** Where to post, the form bodies that are posted round robin, and the process that answers. */
export interface Target {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly pid: number;
}
export interface LoadOptions {
  readonly connections: number;
  /** How long: in seconds, or in requests. */
  readonly length: { readonly seconds: number } | { readonly requests: number };
  /**
   * Open loop: so many requests a second, whatever the server does, and a latency counts from when the request should
   * have been sent. Absent: closed loop, in which each connection sends its next request when it has an answer.
   */
  readonly perSecond?: number;
}
export interface Rate {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly count: number;
  /** Processor time of the server for each request. Absent where the system does not tell it. */
  readonly cpuMicros?: number;
}

/** @throws Error when a single request fails: a rate of refusals is no rate */
export async function load(target: Target, options: LoadOptions): Promise<Rate> {
  const { connections, length, perSecond } = options;
  const requests = target.bodies.map((body) => requestBytes(target.url, body));
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(target.url)));
  const latencies: number[] = [];
  let sent = 0;
  const startedMs = performance.now();
  const mayGoOn = (): boolean =>
    'requests' in length ? sent < length.requests : performance.now() - startedMs < length.seconds * 1000;
  const send = async (connection: Connection, dueMs: number): Promise<void> => {
    sent += 1;
    const status = await connection.send(requests[sent % requests.length] ?? Buffer.alloc(0));
    if (status !== 200) throw new Error(`${target.url} answered ${status}`);
    latencies.push(performance.now() - dueMs);
  };
  const cpuBefore = cpuMicrosOf(target.pid);
  if (perSecond === undefined)
    await Promise.all(
      open.map(async (connection) => {
        while (mayGoOn()) await send(connection, performance.now());
      }),
    );
  else await openLoop(open, perSecond, mayGoOn, send);
  const tookMs = performance.now() - startedMs;
  const cpuAfter = cpuMicrosOf(target.pid);
  for (const connection of open) connection.close();

  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => hundredths(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
  return {
    perSecond: Math.round(sorted.length / (tookMs / 1000)),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    count: sorted.length,
    ...(cpuBefore !== undefined &&
      cpuAfter !== undefined && { cpuMicros: Math.round((cpuAfter - cpuBefore) / sorted.length) }),
  };
}

/**
 * Every millisecond what is due by then is sent; where no connection is free, it waits for one, and that counts. Gaps
 * are exponential (a Poisson process), as callers who know nothing of each other make them, and whole milliseconds.
 */
async function openLoop(
  idle: Connection[],
  perSecond: number,
  mayGoOn: () => boolean,
  send: (connection: Connection, dueMs: number) => Promise<void>,
): Promise<void> {
  const queue: number[] = [];
  let underWay = 0;
  let nextMs = performance.now();
  const done = Promise.withResolvers<void>();
  const pump = (): void => {
    for (let dueMs = queue[0]; dueMs !== undefined; dueMs = queue[0]) {
      const connection = idle.pop();
      if (connection === undefined) return;
      queue.shift();
      underWay += 1;
      send(connection, dueMs).then(() => {
        underWay -= 1;
        idle.push(connection);
        pump();
      }, done.reject);
    }
    if (underWay === 0 && !mayGoOn()) done.resolve();
  };
  const tick = setInterval(() => {
    const nowMs = performance.now();
    while (nextMs <= nowMs && mayGoOn()) {
      queue.push(Math.ceil(nextMs));
      nextMs += -Math.log(1 - Math.random()) * (1000 / perSecond);
    }
    pump();
  }, 1);
  try {
    await done.promise;
  } finally {
    clearInterval(tick);
  }
}

export interface ServerProcess extends Target {
  stop(): Promise<void>;
}

/** Starts a script of this folder as a process of its own; it sends url and bodies when it is ready. */
export async function startServer(
  script: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = fork(new URL(script, import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with ${code}`);
  });
  const [target] = (await Promise.race([once(child, 'message'), failed])) as [Omit<Target, 'pid'>];
  failed.catch(() => undefined);
  const pid = child.pid ?? 0;
  giveServersCore(pid);
  return {
    ...target,
    pid,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

/** The least, the middle and the most of the runs. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => hundredths(sorted[index] ?? Number.NaN);
  return { min: at(0), median: at(Math.floor(sorted.length / 2)), max: at(sorted.length - 1) };
}

export const hundredths = (value: number): number => Math.round(value * 100) / 100;

/** The same load for every server that is compared. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';

export const CONNECTIONS = 32;
export const DISTINCT_CALLERS = 50;

/** Where to post, and the form bodies that are posted round robin. */
export interface Target {
  readonly url: string;
  readonly bodies: readonly string[];
}
export interface Rate {
  readonly perSecond: number;
  /** Whole milliseconds: the load generator counts no finer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * @param length how long: in seconds, or in requests
 * @throws Error when a single request fails: a rate of refusals is no rate
 */
export async function load(
  { url, bodies }: Target,
  length: { readonly seconds: number } | { readonly requests: number },
): Promise<Rate & { count: number }> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    ...('seconds' in length ? { duration: length.seconds } : { amount: length.requests }),
    method: 'POST',
    requests: bodies.map((body) => ({ body, headers })),
  });
  if (result.errors + result.non2xx > 0)
    throw new Error(`${url}: ${result.errors} failed, ${result.non2xx} refused of ${result.requests.total}`);
  return {
    perSecond: Math.round(result.requests.total / result.duration),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    count: result.requests.total,
  };
}

export interface ServerProcess extends Target {
  stop(): Promise<void>;
}

/** Starts a script of this folder as a process of its own; it sends its Target when it is ready. */
export async function startServer(script: string): Promise<ServerProcess> {
  const child = fork(new URL(script, import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with ${code}`);
  });
  const [target] = (await Promise.race([once(child, 'message'), failed])) as [Target];
  failed.catch(() => undefined);
  return {
    ...target,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

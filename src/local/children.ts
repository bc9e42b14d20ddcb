/** Starts, follows and ends the child processes of the launcher. */
import { fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Bound, Order, Report } from './child.ts';
import type { ClockState } from './clock.ts';

export interface ChildOptions {
  /** How it is called in messages. */
  readonly name: string;
  readonly script: URL;
  readonly options: object;
  readonly clock: ClockState;
  readonly environment: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
  readonly log: (line: string) => void;
  /** It ended without having been told to. */
  readonly died: (why: string) => void;
}
export interface ChildHandle {
  /** Its URLs, when it listens. Rejects where it cannot. */
  readonly bound: Promise<Bound>;
  readonly ready: Promise<void>;
  send(order: Order): void;
  /** Resolves when the child has the state, or is gone, or has not answered for `maxWaitMs`. */
  setClock(state: ClockState, maxWaitMs: number): Promise<void>;
  /** Asks it to end, and ends it after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export function startChild(options: ChildOptions): ChildHandle {
  const child = fork(options.script, [JSON.stringify(options.options), JSON.stringify(options.clock)], {
    env: { ...process.env, ...options.environment },
    execArgv: [...(options.execArgv ?? [])],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) eachLine(stream, options.log);
  }

  let wanted = true;
  let clockOrders = 0;
  const acknowledged = new Map<number, () => void>();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const done of acknowledged.values()) done();
      resolve();
      if (wanted) options.died(signal ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
  const bound = Promise.withResolvers<Bound>();
  const ready = Promise.withResolvers<void>();
  const fail = (why: string) => {
    const error = new Error(`${options.name}: ${why}`);
    bound.reject(error);
    ready.reject(error);
  };
  // Whoever waits for them sees it; where nobody does, `died` has told.
  bound.promise.catch(() => undefined);
  ready.promise.catch(() => undefined);
  void exited.then(() => fail('it ended before it was ready'));

  child.on('message', (report: Report) => {
    switch (report.kind) {
      case 'bound':
        return bound.resolve(report.urls);
      case 'ready':
        return ready.resolve();
      case 'failed':
        wanted = false;
        return fail(report.why);
      case 'clock':
        return acknowledged.get(report.id)?.();
    }
  });

  const send = (order: Order) => {
    if (child.connected) child.send(order, ignoreGone);
  };
  return {
    bound: bound.promise,
    ready: ready.promise,
    send,
    async setClock(state, maxWaitMs) {
      if (!child.connected) return;
      const id = ++clockOrders;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          options.log(`${options.name} has not taken over the clock in ${maxWaitMs} ms`);
          resolve();
        }, maxWaitMs);
        acknowledged.set(id, () => {
          clearTimeout(timer);
          resolve();
        });
        send({ kind: 'clock', id, state });
      });
      acknowledged.delete(id);
    },
    async stop(graceMs) {
      wanted = false;
      send({ kind: 'stop' });
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** A broker under load writes thousands of lines a second, and `readline` costs several times this. */
function eachLine(stream: Readable, log: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log(line);
  });
  stream.on('end', () => rest && log(rest));
}

/** It went away in that moment, which `exit` tells. */
function ignoreGone(_error: Error | null): void {}

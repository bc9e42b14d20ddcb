/** Load of strangers, made from bytes that are ready, so that making it costs the same whatever is sent. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Pressure {
  /** Requests, or connections, sent so far. */
  readonly sent: number;
  stop(): void;
}

/** Seconds that passed, of whatever the rate is meant in. */
export type Seconds = () => number;

const TICK_MS = 10;

/**
 * So many requests a second over so many connections, one at a time on each. A connection that the server closes is
 * opened again.
 * @param bytes makes the next request
 */
export function paced(
  url: string,
  connections: number,
  perSecond: number,
  bytes: () => Buffer,
  seconds: Seconds,
): Pressure {
  let sent = 0;
  let stopped = false;
  const free: Socket[] = [];
  const all = new Set<Socket>();
  function open(): void {
    if (stopped) return;
    const socket = connectTo(url);
    all.add(socket);
    socket.on('connect', () => free.push(socket));
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('HTTP/1.1 ')) free.push(socket);
    });
    socket.on('close', () => {
      all.delete(socket);
      if (free.includes(socket)) free.splice(free.indexOf(socket), 1);
      setTimeout(open, TICK_MS);
    });
  }
  for (let index = 0; index < connections; index += 1) open();
  const started = seconds();
  const timer = setInterval(() => {
    const due = (seconds() - started) * perSecond;
    while (sent < due) {
      const socket = free.shift();
      if (socket === undefined) return;
      socket.write(bytes());
      sent += 1;
    }
  }, TICK_MS);
  return {
    get sent() {
      return sent;
    },
    stop: () => {
      stopped = true;
      clearInterval(timer);
      for (const socket of all) socket.destroy();
    },
  };
}

/** So many connections, each with these bytes and then silence. */
export function held(url: string, connections: number, bytes: Buffer): Pressure {
  const all = Array.from({ length: connections }, () => {
    const socket = connectTo(url);
    socket.resume();
    socket.write(bytes);
    return socket;
  });
  return {
    sent: connections,
    stop: () => {
      for (const socket of all) socket.destroy();
    },
  };
}

/** One after the other, at most so many a second; each step is so many requests. */
export function loop(
  perSecond: number,
  requestsOfStep: number,
  step: () => Promise<void>,
  seconds: Seconds,
): Pressure {
  let sent = 0;
  let stopped = false;
  void (async () => {
    const started = seconds();
    while (!stopped) {
      if (sent < (seconds() - started) * perSecond) {
        // What is refused or cut off is no reason to stop.
        await step().catch(() => undefined);
        sent += requestsOfStep;
      } else await sleep(TICK_MS);
    }
  })();
  return {
    get sent() {
      return sent;
    },
    stop: () => {
      stopped = true;
    },
  };
}

function connectTo(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  // The server may close it in the middle: that is its answer.
  socket.on('error', () => socket.destroy());
  return socket;
}

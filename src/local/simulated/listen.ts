/** A listener on loopback, with or without TLS, that can refuse everyone and leaves nothing behind. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Tls } from './tls.ts';

export interface Listener {
  /** The port it would like; another one when it is taken. 0: any. */
  readonly port: number;
  readonly tls: Tls | undefined;
  /** True: connections are reset at once, kept ones at their next request. */
  refuses(): boolean;
  onRequest(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Aborted by `close`. */
  readonly closing: AbortController;
  log(line: string): void;
}

/** Who may connect, and where. */
export interface Door {
  /** The port it would like; another one when it is taken. 0: any. */
  readonly port: number;
  /** True: new connections are reset at once. */
  refuses(): boolean;
  /** Aborted when the door closes. */
  readonly closing: AbortController;
}

/** Opens a server of any protocol on loopback. `close` ends what is connected. */
export async function open(
  server: Server,
  door: Door,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    if (door.refuses()) return void socket.resetAndDestroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await bind(server, door.port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      door.closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export interface Served {
  /** `https://localhost:PORT`, or `http://127.0.0.1:PORT` where plain. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}
export interface Listener extends Door {
  /** Absent: plain http. */
  readonly tls: Tls | undefined;
  onRequest(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Absent: a request to go on with another protocol is answered as any other. */
  readonly onUpgrade?:
    | ((request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>)
    | undefined;
  log(line: string): void;
}

export async function listen(listener: Listener): Promise<Served> {
  const onRequest: RequestListener = (request, response) => {
    if (listener.refuses()) return void request.socket.destroy();
    listener.onRequest(request, response).catch((error: unknown) => {
      if (!request.socket.destroyed) listener.log(`simulated service: ${String(error)}`);
      request.socket.destroy();
    });
  };
  const options = { keepAliveTimeout: 60_000, noDelay: true };
  const { tls } = listener;
  const server = tls
    ? createTlsServer({ ...options, key: tls.key, cert: tls.cert }, onRequest)
    : createServer(options, onRequest);
  const { onUpgrade } = listener;
  if (onUpgrade !== undefined)
    server.on('upgrade', (request, socket, head) => {
      if (listener.refuses()) return void socket.destroy();
      onUpgrade(request, socket, head).catch((error: unknown) => {
        if (!socket.destroyed) listener.log(`simulated service: ${String(error)}`);
        socket.destroy();
      });
    });
  const opened = await open(server, listener);
  const url = tls ? `https://localhost:${opened.port}` : `http://127.0.0.1:${opened.port}`;
  return { url, ...opened };
}

async function bind(server: Server, port: number): Promise<void> {
  const tryPort = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  try {
    await tryPort(port);
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await tryPort(0);
  }
}

const maxBodyBytes = 1_048_576;

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error('request body too large for a simulated service');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

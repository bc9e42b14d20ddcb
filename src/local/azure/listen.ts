/** A listener on loopback, with or without TLS, that can refuse everyone and leaves nothing behind. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
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

export interface Served {
  /** `https://localhost:PORT`, or `http://127.0.0.1:PORT` where plain. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}
/** `close` ends kept connections, and aborts `closing` for what still waits. */
export async function listen(listener: Listener): Promise<Served> {
  const sockets = new Set<Socket>();
  const onRequest: RequestListener = (request, response) => {
    if (listener.refuses()) return void request.socket.destroy();
    listener.onRequest(request, response).catch((error: unknown) => {
      if (!request.socket.destroyed) listener.log(`simulated service: ${String(error)}`);
      request.socket.destroy();
    });
  };
  const options = { keepAliveTimeout: 60_000, noDelay: true };
  const server: Server = listener.tls
    ? createTlsServer({ ...options, key: listener.tls.key, cert: listener.tls.cert }, onRequest)
    : createServer(options, onRequest);
  server.on('connection', (socket: Socket) => {
    if (listener.refuses()) return void socket.resetAndDestroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await bind(server, listener.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: listener.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    port,
    async close() {
      listener.closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
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

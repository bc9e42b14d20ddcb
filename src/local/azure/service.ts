/**
 * How one simulated service is served: a real socket on loopback, its faults, its line in the request log.
 * A service names the operation of a call before any work is done, so that a fault can be aimed at it.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { errorBody } from './error-bodies.ts';
import type { Fault, Faults, ServiceName } from './faults.ts';
import type { RequestLog } from './requests.ts';
import type { Tls } from './tls.ts';

export type { ServiceName } from './faults.ts';

export interface Call {
  readonly service: ServiceName | 'ai';
  /** What `operation` called it. */
  readonly operation: string;
  readonly method: string;
  /** With the host the client used. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Outcome {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Uint8Array | object;
  /** For the request log: what was touched, by whom (client id), with which key (first 16 hex of its SHA-256). */
  readonly resource?: string | undefined;
  readonly by?: string | undefined;
  readonly keyFingerprint?: string | undefined;
}

/** One listener. */
export interface Endpoint {
  /** The service a path belongs to where several share a host. */
  readonly service: ServiceName | ((path: string) => ServiceName | 'ai');
  /** The port it would like; another one when it is taken. 0: any. */
  readonly port: number;
  /** Plain http, as Azure has it for the managed-identity endpoint. Default: TLS. */
  readonly plain?: boolean;
  /** Pure: the name of what is asked, for faults and the request log. */
  operation(call: Omit<Call, 'operation'>): string;
  handle(call: Call): Promise<Outcome> | Outcome;
}

export interface Served {
  /** `https://localhost:PORT`, or `http://127.0.0.1:PORT` where plain. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}
export type Serve = (endpoint: Endpoint) => Promise<Served>;

export interface Fabric {
  readonly tls: Tls;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

const maxBodyBytes = 1_048_576;

/** Gives every service the same sockets, faults and log. */
export function createServe(fabric: Fabric): Serve {
  return (endpoint) => serve(endpoint, fabric);
}

async function serve(endpoint: Endpoint, fabric: Fabric): Promise<Served> {
  const { service } = endpoint;
  const serviceOf = typeof service === 'function' ? service : () => service;
  const closing = new AbortController();
  return listen({
    port: endpoint.port,
    tls: endpoint.plain ? undefined : fabric.tls,
    refuses: () => typeof service !== 'function' && fabric.faults.unreachable(service),
    closing,
    async onRequest(request, response) {
      const base = `${endpoint.plain ? 'http' : 'https'}://${request.headers.host ?? 'localhost'}`;
      const url = new URL(request.url ?? '/', base);
      const call = {
        service: serviceOf(url.pathname),
        method: request.method ?? 'GET',
        url,
        headers: request.headers as Record<string, string | undefined>,
        body: await readBody(request),
      };
      const operation = endpoint.operation(call);
      const fault = fabric.faults.strike(call.service, operation);
      const outcome = await faulted(fault, call.service, () => endpoint.handle({ ...call, operation }));
      if (outcome !== 'refused') {
        fabric.requests.add({
          atMs: fabric.now(),
          service: call.service,
          operation,
          resource: outcome.resource,
          status: outcome.status,
          by: outcome.by,
          keyFingerprint: outcome.keyFingerprint,
          fault: fault?.mode,
        });
      }
      if (fault?.mode === 'slow') await wallDelay(fault.delayMs, closing.signal);
      if (outcome === 'refused' || fault?.mode === 'lost') request.socket.destroy();
      else answer(response, outcome);
    },
    log: fabric.log,
  });
}

/** What the service does under this fault. A fault other than slow and lost keeps the work from being done. */
async function faulted(
  fault: Fault | undefined,
  service: ServiceName | 'ai',
  work: () => Promise<Outcome> | Outcome,
): Promise<Outcome | 'refused'> {
  switch (fault?.mode) {
    case 'down':
      return 'refused';
    case 'garbage':
      return {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<html>welcome to the wifi</html>',
      };
    case 'status':
      return {
        status: fault.status,
        body: errorBody(service, fault.status),
        headers:
          fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) },
      };
    default:
      return work();
  }
}

function answer(response: ServerResponse, outcome: Outcome): void {
  const { body } = outcome;
  const isJson = typeof body === 'object' && !(body instanceof Uint8Array);
  const bytes = isJson ? JSON.stringify(body) : (body ?? '');
  response.writeHead(outcome.status, {
    ...(isJson ? { 'content-type': 'application/json; charset=utf-8' } : {}),
    'content-length': Buffer.byteLength(bytes),
    ...outcome.headers,
  });
  response.end(bytes);
}

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

export interface Listener {
  readonly port: number;
  readonly tls: Tls | undefined;
  /** True: a new connection is reset at once. */
  refuses(): boolean;
  onRequest(request: IncomingMessage, response: ServerResponse): Promise<void>;
  readonly closing: AbortController;
  log(line: string): void;
}

/** A loopback listener whose `close` leaves no socket behind. */
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

export function wallDelay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * How one simulated service is served: a real socket on loopback, its faults, its line in the request log.
 * A service names the operation of a call before any work is done, so that a fault can be aimed at it.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { setTimeout as wallDelay } from 'node:timers/promises';
import { errorBody } from './error-bodies.ts';
import type { Fault, Faults, ServiceName } from './faults.ts';
import { listen, readBody, type Served } from './listen.ts';
import type { RequestLog } from './requests.ts';
import type { Tls } from './tls.ts';
import { accept, type Conversation, type Listens } from './websocket.ts';

export type { ServiceName } from './faults.ts';
export type { Served } from './listen.ts';

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
  /** How far behind the replica is that answers; 0: not at all. */
  readonly staleByMs: number;
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
  operation(call: Omit<Call, 'operation' | 'staleByMs'>): string;
  handle(call: Call): Promise<Outcome> | Outcome;
  /** Who asks to go on over a WebSocket; 101 lets them. Absent: nobody may. */
  upgrade?(call: Call): Promise<Upgrade>;
}

export interface Upgrade extends Outcome {
  readonly converse?: (conversation: Conversation) => Listens;
}

export type Serve = (endpoint: Endpoint) => Promise<Served>;

export interface Fabric {
  readonly tls: Tls;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Gives every service the same sockets, faults and log. */
export function createServe(fabric: Fabric): Serve {
  return (endpoint) => serve(endpoint, fabric);
}

async function serve(endpoint: Endpoint, fabric: Fabric): Promise<Served> {
  const { service } = endpoint;
  const serviceOf = typeof service === 'function' ? service : () => service;
  const closing = new AbortController();
  const callOf = (request: IncomingMessage, body: string) => {
    const base = `${endpoint.plain ? 'http' : 'https'}://${request.headers.host ?? 'localhost'}`;
    const url = new URL(request.url ?? '/', base);
    const headers = request.headers as Record<string, string | undefined>;
    return { service: serviceOf(url.pathname), method: request.method ?? 'GET', url, headers, body };
  };
  const note = (
    { service: of }: Pick<Call, 'service'>,
    operation: string,
    { resource, status, by, keyFingerprint }: Outcome,
    fault?: Fault,
  ): void =>
    fabric.requests.add({
      atMs: fabric.now(),
      service: of,
      operation,
      resource,
      status,
      by,
      keyFingerprint,
      fault: fault?.mode,
    });
  return listen({
    port: endpoint.port,
    tls: endpoint.plain ? undefined : fabric.tls,
    refuses: () => typeof service !== 'function' && fabric.faults.unreachable(service),
    closing,
    async onRequest(request, response) {
      const call = callOf(request, await readBody(request));
      const operation = endpoint.operation(call);
      const fault = fabric.faults.strike(call.service, operation);
      const staleByMs = fault?.mode === 'stale' ? fault.lagMs : 0;
      const outcome = await faulted(fault, call.service, () =>
        endpoint.handle({ ...call, operation, staleByMs }),
      );
      if (outcome !== 'refused') note(call, operation, outcome, fault);
      if (fault?.mode === 'slow') await wallDelay(fault.delayMs, undefined, closing);
      if (outcome === 'refused' || fault?.mode === 'lost') request.socket.destroy();
      else answer(response, outcome);
    },
    onUpgrade:
      endpoint.upgrade &&
      (async (request, socket, head) => {
        const call = callOf(request, '');
        const operation = endpoint.operation(call);
        const outcome = await endpoint.upgrade?.({ ...call, operation, staleByMs: 0 });
        if (outcome === undefined) return void socket.destroy();
        note(call, operation, outcome);
        const key = request.headers['sec-websocket-key'];
        if (outcome.converse && key !== undefined) accept(key, socket, head, outcome.converse);
        else socket.end(refusal(outcome));
      }),
    log: fabric.log,
  });
}

/** An answer where there is no `ServerResponse`: before the connection has changed its protocol. */
function refusal({ status, body = '' }: Outcome): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const length = Buffer.byteLength(text);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${text}`;
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

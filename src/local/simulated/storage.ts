/**
 * Stands before Azurite, so that tables, queues and blobs have faults, a request log and, at the door for the apps, the role
 * check that Azure makes. It reads the head of a request and the status of its answer and passes the bytes on: a
 * whole HTTP proxy here cost ten times as much, in the way of every exchange.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as wallDelay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { errorBody } from './error-bodies.ts';
import type { Fault } from './faults.ts';
import { open, type Served } from './listen.ts';
import type { Fabric } from './service.ts';
import type { StorageGate, StorageRefusal } from './storage-access.ts';
import { type StorageOperation, type StorageService, storageOperation } from './storage-operation.ts';

export interface StorageDoor {
  readonly service: StorageService;
  readonly port: number;
  /** Azurite's own address; empty while it has none. */
  readonly azurite: () => string;
  /**
   * The door for the apps: TLS, and roles. Undefined: plain HTTP for whoever has the published development key, a
   * person's tools for example.
   */
  readonly gate?: StorageGate;
  /** A shared access signature with which what the gate lets through is sent on; asked for when it is first needed. */
  readonly signature?: () => string;
}

interface Asked {
  readonly operation: StorageOperation;
  readonly fault: Fault | undefined;
  /** The client id of the caller, where the door knows it. */
  readonly by: string | undefined;
}

/** Clients send one request at a time on a connection, as Node's do. */
export async function serveStorage(fabric: Fabric, door: StorageDoor): Promise<Served> {
  const { faults, requests, tls } = fabric;
  const { service, gate, azurite } = door;
  const closing = new AbortController();

  function onConnection(client: Socket): void {
    // Refused already, or Azurite has no address yet.
    if (client.destroyed || !URL.canParse(azurite())) return void client.destroy();
    const target = new URL(azurite());
    const store = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    /** The request that has no answer yet. */
    let pending: Asked | undefined;
    /** The beginning of a request whose head is not whole yet. */
    let head: Buffer | undefined;
    let isMute = false;

    const log = ({ operation, fault, by }: Asked, status: number) =>
      requests.add({
        atMs: fabric.now(),
        service,
        operation: operation.name,
        resource: operation.resource,
        status,
        by,
        keyFingerprint: undefined,
        fault: fault?.mode,
      });
    const refuse = (asked: Asked, answer: { status: number; text: string }) => {
      log(asked, answer.status);
      isMute = true; // The rest of this request is read and forgotten.
      client.end(answer.text);
    };

    /** What goes to Azurite for the first bytes of a request; undefined: nothing, yet or at all. */
    function begin(chunk: Buffer): Buffer | undefined {
      head = head === undefined ? chunk : Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0 && head.length < MAX_HEAD_BYTES) return undefined;
      const whole = head;
      head = undefined;
      const request = readHead(whole, end);
      if (request === undefined) return void client.destroy();
      const operation = storageOperation(service, request.method, request.url, request.isConditional);
      const fault = faults.strike(service, operation.name);
      if (fault?.mode === 'down') return void client.destroy();
      const answer = fault && answerOf(service, fault);
      if (answer) return void refuse({ operation, fault, by: undefined }, answer);
      const access = gate?.(request.authorization, operation);
      if (access !== undefined && 'status' in access)
        return void refuse({ operation, fault, by: access.by }, refusal(service, access));
      pending = { operation, fault, by: access?.by };
      return access === undefined ? whole : signed(whole, end, request, door.signature?.() ?? '');
    }

    client.on('data', (chunk) => {
      if (isMute) return;
      const bytes = pending ? chunk : begin(chunk);
      if (bytes) pass(bytes, client, store);
    });
    store.on('data', (chunk) => {
      if (pending) {
        log(pending, readStatus(chunk));
        const { fault } = pending;
        if (fault?.mode === 'lost') return void client.destroy();
        pending = undefined;
        if (fault?.mode === 'slow') return hold(store, chunk, fault.delayMs, closing.signal);
      }
      pass(chunk, store, client);
    });
    // Whichever end goes, for whatever reason, takes the other with it; each side sees that in its own way.
    for (const socket of [client, store]) socket.on('error', () => socket.destroy());
    client.on('close', () => store.destroy());
    store.on('close', () => isMute || client.destroy());
  }

  const server =
    gate === undefined
      ? createServer({ noDelay: true }, onConnection)
      : createTlsServer({ key: tls.key, cert: tls.cert, noDelay: true }, onConnection);
  const opened = await open(server, { port: door.port, refuses: () => faults.unreachable(service), closing });
  const origin = gate === undefined ? `http://127.0.0.1:${opened.port}` : `https://localhost:${opened.port}`;
  return { url: origin, ...opened };
}

/** Far above what Node sends, a token of the longest kind included. */
const MAX_HEAD_BYTES = 65_536;

interface Head {
  readonly method: string;
  readonly url: string;
  readonly line: string;
  readonly authorization: string | undefined;
  readonly isConditional: boolean;
}

/** From `PUT /account/table(...) HTTP/1.1` and its headers; undefined: not the beginning of a request. */
function readHead(bytes: Buffer, end: number): Head | undefined {
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', 0, end + 2);
  const line = text.slice(0, text.indexOf('\r\n'));
  const [, method, url] = /^([A-Z]+) (\/\S*) HTTP\/1\.1$/.exec(line) ?? [];
  if (method === undefined || url === undefined) return undefined;
  const authorization = /\r\nauthorization: *([^\r]*)\r\n/i.exec(text)?.[1];
  return { method, url, line, authorization, isConditional: /\r\nif-match: */i.test(text) };
}

/** The same request with a shared access signature in its URL in place of the token, which Azurite cannot check. */
function signed(bytes: Buffer, end: number, { method, url, line }: Head, signature: string): Buffer {
  const headers = bytes.toString('latin1', line.length, end + 2).replace(/\r\nauthorization: *[^\r]*/i, '');
  const head = `${method} ${url}${url.includes('?') ? '&' : '?'}${signature} HTTP/1.1${headers}`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end + 2)]);
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** Keeps the store's answer back, in wall time: the work is done, and the request log has it. */
function hold(store: Socket, answer: Buffer, delayMs: number, closing: AbortSignal): void {
  store.pause();
  // It comes again as the first that is read.
  store.unshift(answer);
  wallDelay(delayMs, undefined, { signal: closing }).then(
    () => store.resume(),
    () => store.destroy(),
  );
}

/** What is answered without the work being done. */
function answerOf(service: StorageService, fault: Fault): { status: number; text: string } | undefined {
  switch (fault.mode) {
    case 'garbage':
      return answer(200, 'text/html', '<html>welcome to the wifi</html>', '');
    case 'status': {
      const wait = fault.retryAfterSeconds === undefined ? '' : `Retry-After: ${fault.retryAfterSeconds}\r\n`;
      const body = errorBody(service, fault.status);
      return typeof body === 'string'
        ? answer(fault.status, 'application/xml', body, wait)
        : answer(fault.status, 'application/json', JSON.stringify(body), wait);
    }
    default:
      return undefined;
  }
}

function refusal(
  service: StorageService,
  { status, code }: StorageRefusal,
): { status: number; text: string } {
  const message = 'This request is not authorized to perform this operation.';
  const header = `x-ms-error-code: ${code}\r\n`;
  return service === 'tables'
    ? answer(
        status,
        'application/json',
        JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } }),
        header,
      )
    : answer(status, 'application/xml', xmlError(code, message), header);
}

const xmlError = (code: string, message: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;

function answer(status: number, type: string, body: string, headers: string) {
  const head = `HTTP/1.1 ${status} Fault\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}`;
  return { status, text: `${head}\r\nConnection: close\r\n${headers}\r\n${body}` };
}

/** From `HTTP/1.1 204 No Content`. */
function readStatus(chunk: Buffer): number {
  return Number(chunk.toString('latin1', 9, 12));
}

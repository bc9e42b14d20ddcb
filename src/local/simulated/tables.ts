/**
 * Stands before Azurite, so that Tables has faults and a request log like every other service. It reads the
 * first line of a request and the status of its answer and passes the bytes on: a whole HTTP proxy here cost
 * ten times as much, in the way of every exchange.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as wallDelay } from 'node:timers/promises';
import { errorBody } from './error-bodies.ts';
import type { Fault } from './faults.ts';
import { open, type Served } from './listen.ts';
import type { Fabric } from './service.ts';

interface Asked {
  readonly table: string | undefined;
  readonly operation: string;
}

/** `azurite` is its own address. Clients send one request at a time on a connection, as Node's do. */
export async function serveTables(fabric: Fabric, port: number, azurite: () => string): Promise<Served> {
  const { faults, requests } = fabric;
  const closing = new AbortController();

  function onConnection(client: Socket): void {
    // Refused already, or Azurite has no address yet.
    if (client.destroyed || !URL.canParse(azurite())) return void client.destroy();
    const target = new URL(azurite());
    const store = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    /** The request that has no answer yet. */
    let pending: { asked: Asked; fault: Fault | undefined } | undefined;
    let isMute = false;

    const log = ({ asked, fault }: { asked: Asked; fault: Fault | undefined }, status: number) =>
      requests.add({
        atMs: fabric.now(),
        service: 'tables',
        operation: asked.operation,
        resource: asked.table,
        status,
        by: undefined,
        keyFingerprint: undefined,
        fault: fault?.mode,
      });

    client.on('data', (chunk) => {
      if (isMute) return;
      const asked = pending ? undefined : readRequest(chunk);
      if (asked) {
        const fault = faults.strike('tables', asked.operation);
        const answer = fault && answerOf(fault);
        if (fault?.mode === 'down') return void client.destroy();
        if (answer) {
          log({ asked, fault }, answer.status);
          isMute = true; // The rest of this request is read and forgotten.
          return void client.end(answer.text);
        }
        pending = { asked, fault };
        if (fault?.mode === 'slow') hold(store, fault.delayMs, closing.signal);
      }
      pass(chunk, client, store);
    });
    store.on('data', (chunk) => {
      if (pending) {
        log(pending, readStatus(chunk));
        if (pending.fault?.mode === 'lost') return void client.destroy();
        pending = undefined;
      }
      pass(chunk, store, client);
    });
    // Whichever end goes, for whatever reason, takes the other with it; each side sees that in its own way.
    for (const socket of [client, store]) socket.on('error', () => socket.destroy());
    client.on('close', () => store.destroy());
    store.on('close', () => isMute || client.destroy());
  }

  const server = createServer({ noDelay: true }, onConnection);
  const opened = await open(server, { port, refuses: () => faults.unreachable('tables'), closing });
  return { url: `http://127.0.0.1:${opened.port}`, ...opened };
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** Keeps the store's answer back, in wall time. */
function hold(store: Socket, delayMs: number, closing: AbortSignal): void {
  store.pause();
  wallDelay(delayMs, undefined, { signal: closing }).then(
    () => store.resume(),
    () => store.destroy(),
  );
}

/** What is answered without the work being done. */
function answerOf(fault: Fault): { status: number; text: string } | undefined {
  switch (fault.mode) {
    case 'garbage':
      return answer(200, 'text/html', '<html>welcome to the wifi</html>', '');
    case 'status': {
      const wait = fault.retryAfterSeconds === undefined ? '' : `Retry-After: ${fault.retryAfterSeconds}\r\n`;
      return answer(
        fault.status,
        'application/json',
        JSON.stringify(errorBody('tables', fault.status)),
        wait,
      );
    }
    default:
      return undefined;
  }
}

function answer(status: number, type: string, body: string, headers: string) {
  const head = `HTTP/1.1 ${status} Fault\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}`;
  return { status, text: `${head}\r\nConnection: close\r\n${headers}\r\n${body}` };
}

/** From `PUT /account/table(...) HTTP/1.1`; undefined: not the beginning of a request. */
function readRequest(chunk: Buffer): Asked | undefined {
  const line = chunk.toString('latin1', 0, chunk.indexOf(13));
  const [, method, url] = /^([A-Z]+) (\/\S+) HTTP\/1\.1$/.exec(line) ?? [];
  return method !== undefined && url !== undefined ? nameOf(method, url) : undefined;
}

/** From `HTTP/1.1 204 No Content`. */
function readStatus(chunk: Buffer): number {
  return Number(chunk.toString('latin1', 9, 12));
}

/** `GetEntity state`: what a call does, from its first line alone. */
function nameOf(method: string, url: string): Asked {
  // /account/table, /account/table() or /account/table(PartitionKey='..',RowKey='..')
  const [, table = '', key] = /^\/[^/]+\/([^/?(]+)(\([^?]*\))?/.exec(url.split('?', 1)[0] ?? '') ?? [];
  if (table === '$batch') return { table: undefined, operation: 'Transaction' };
  if (table === 'Tables') {
    const verb = { POST: 'CreateTable', DELETE: 'DeleteTable' }[method] ?? 'QueryTables';
    return { table: undefined, operation: verb };
  }
  const isEntity = key !== undefined && key !== '()';
  const verbs: Readonly<Record<string, string>> = {
    GET: isEntity ? 'GetEntity' : 'QueryEntities',
    POST: 'InsertEntity',
    PUT: 'UpdateEntity',
    PATCH: 'MergeEntity',
    MERGE: 'MergeEntity',
    DELETE: 'DeleteEntity',
  };
  return { table, operation: `${verbs[method] ?? method} ${table}` };
}

/** A thin proxy before Azurite, so that Tables has faults and a request log like every other service. */
import { Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wallDelay } from 'node:timers/promises';
import { errorBody } from './error-bodies.ts';
import { listen, type Served } from './listen.ts';
import type { Fabric } from './service.ts';

/** `azurite` is its own address; its path is kept by the caller. */
export function serveTables(fabric: Fabric, port: number, azurite: () => string): Promise<Served> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  const closing = new AbortController();
  closing.signal.addEventListener('abort', () => agent.destroy());

  async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { table, operation } = nameOf(request.method ?? 'GET', request.url ?? '/');
    const fault = fabric.faults.strike('tables', operation);
    const log = (status: number) =>
      fabric.requests.add({
        atMs: fabric.now(),
        service: 'tables',
        operation,
        resource: table,
        status,
        by: undefined,
        keyFingerprint: undefined,
        fault: fault?.mode,
      });
    switch (fault?.mode) {
      case 'down':
        request.socket.destroy();
        return;
      case 'garbage':
        log(200);
        request.resume();
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>welcome to the wifi</html>');
        return;
      case 'status': {
        log(fault.status);
        request.resume();
        const wait = fault.retryAfterSeconds;
        response.writeHead(fault.status, {
          'content-type': 'application/json',
          ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
        });
        response.end(JSON.stringify(errorBody('tables', fault.status)));
        return;
      }
    }
    const answer = await forward(request, agent, azurite());
    log(answer.statusCode ?? 0);
    if (fault?.mode === 'slow') await wallDelay(fault.delayMs, undefined, closing);
    if (fault?.mode === 'lost') {
      answer.resume();
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    await pipeline(answer, response);
  }

  return listen({
    port,
    tls: undefined,
    refuses: () => fabric.faults.unreachable('tables'),
    onRequest,
    closing,
    log: fabric.log,
  });
}

function forward(request: IncomingMessage, agent: Agent, azurite: string): Promise<IncomingMessage> {
  const { hostname, port } = new URL(azurite);
  return new Promise((resolve, reject) => {
    const onward = send(
      { agent, hostname, port, method: request.method, path: request.url, headers: request.rawHeaders },
      resolve,
    );
    pipeline(request, onward).catch(reject);
  });
}

/** `GetEntity state`: what a call does, from its first line alone. */
function nameOf(method: string, url: string): { table: string | undefined; operation: string } {
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

/** A listener on loopback, for as long as a command runs. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandFailure } from '../failure.ts';

export interface Listener extends AsyncDisposable {
  readonly port: number;
}

/** @param port 0 picks a free one */
export async function listen(
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse, port: number) => Promise<void>,
): Promise<Listener> {
  // An upload may take as long as it takes; the headers must come at once.
  const server = createServer({ requestTimeout: 0, headersTimeout: 20_000 }, (request, response) => {
    const { port: bound } = server.address() as AddressInfo;
    // What is left of a client that is gone ends with its socket.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    answer(request, response, bound).catch(() => response.destroy());
  });
  server.on('connect', (_request, socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new CommandFailure(
      'failed',
      `Port ${port} of this machine cannot be used (${code}).`,
      'Leave --port out, and a free one is taken.',
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...headers,
    })
    .end(text);
}

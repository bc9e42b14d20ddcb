import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export type Answered =
  | { readonly status: number; readonly body?: string | object; readonly headers?: Record<string, string> }
  | 'hangs'
  | 'drops';

/** A service on loopback that answers as told, and remembers what it was asked. */
export async function startUpstream(initial: (asked: Asked) => Answered) {
  const asked: Asked[] = [];
  const upstream = {
    url: '',
    asked,
    answer: initial,
    [Symbol.asyncDispose]: async (): Promise<void> => undefined,
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
    asked.push(call);
    const answer = upstream.answer(call);
    if (answer === 'hangs') return;
    if (answer === 'drops') return void request.socket.destroy();
    const text = typeof answer.body === 'object' ? JSON.stringify(answer.body) : (answer.body ?? '');
    response.writeHead(answer.status, answer.headers).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  upstream[Symbol.asyncDispose] = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return upstream;
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpRequest, type HttpResponseInit } from '@azure/functions';

type Endpoint = (request: HttpRequest) => Promise<HttpResponseInit>;

/** Endpoints on a real socket, for clients that bring their own HTTP. Headers arrive as the Functions host joins them. */
export async function serve(
  routes: Readonly<Record<string, Endpoint>>,
): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const parts: Uint8Array[] = [];
    for await (const part of incoming) parts.push(part);
    const { pathname } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
    const endpoint = routes[`${incoming.method} ${pathname}`];
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(',')]),
    );
    const body = parts.length === 0 ? {} : { body: { bytes: Buffer.concat(parts) } };
    const answer = await endpoint?.(
      new HttpRequest({
        method: incoming.method ?? 'GET',
        url: `http://127.0.0.1${incoming.url}`,
        headers,
        ...body,
      }),
    );
    const text = answer?.jsonBody === undefined ? answer?.body : JSON.stringify(answer.jsonBody);
    outgoing.writeHead(answer?.status ?? 404, {
      ...(answer?.jsonBody === undefined ? {} : { 'content-type': 'application/json' }),
      ...(answer?.headers as Record<string, string>),
    });
    outgoing.end(typeof text === 'string' ? text : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The JSON object in an answer. */
export async function jsonOf(answer: Response): Promise<Record<string, unknown>> {
  return (await answer.json()) as Record<string, unknown>;
}

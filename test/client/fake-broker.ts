import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string | object;
}

export const granted = (accessToken: string, more: object = {}): Answer => ({
  status: 200,
  body: {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 600,
    refresh_in: 480,
    token_kind: 'sts',
    endpoint: 'https://speech.example',
    region: 'westeurope',
    ...more,
  },
});

/** A broker that answers what the test says, over a real socket. */
export async function startFakeBroker() {
  const asked: URLSearchParams[] = [];
  let answer: (count: number) => Answer | Promise<Answer> = (count) => granted(`token-${count}`);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    asked.push(new URLSearchParams(request.url === '/oauth2/token' ? body : ''));
    const { status, headers, body: said } = await answer(asked.length);
    response.writeHead(status, headers).end(typeof said === 'string' ? said : JSON.stringify(said));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers: (with_: typeof answer) => {
      answer = with_;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

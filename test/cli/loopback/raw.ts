/** Requests as an attacker writes them, byte for byte, and an account that keeps what it is sent. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Supply } from '../../../src/cli/held-token.ts';
import type { BrokerToken, GetOptions } from '../../../src/client/broker-token.ts';

/** @returns everything that came back until the connection ended */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (part: string) => {
    answer += part;
    const [head = '', body] = answer.split('\r\n\r\n', 2);
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    if (body !== undefined && length !== undefined && body.length >= Number(length)) socket.destroy();
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.write(text, 'latin1');
  await closed;
  return answer;
}
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

export interface Account extends AsyncDisposable {
  readonly url: string;
  readonly asked: { method: string; url: string; headers: IncomingMessage['headers']; raw: string[] }[];
}

export async function startAccount(
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<Account> {
  const asked: Account['asked'] = [];
  const server = createServer((request, response) => {
    asked.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      raw: request.rawHeaders,
    });
    void answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Tokens `token-1`, `token-2`, …: the next one when the one before was refused. */
export function supplyOf(endpoint: string, resource = 'chat'): Supply & { readonly given: GetOptions[] } {
  const given: GetOptions[] = [];
  let count = 1;
  return {
    resource,
    given,
    get: async (options = {}): Promise<BrokerToken> => {
      given.push(options);
      if (options.refused !== undefined) count += 1;
      return {
        accessToken: `token-${count}`,
        tokenKind: 'entra',
        endpoint,
        region: 'westeurope',
        expiresAtMs: 2_000_000_000_000,
        refreshAtMs: 1_900_000_000_000,
      };
    },
    wallExpiryMs: ({ expiresAtMs }) => expiresAtMs,
  };
}

/** Sends a request as it is given: repeated headers, a foreign Host and odd paths, which `fetch` would put right. */
import { Agent, request } from 'node:http';

export interface Sending {
  /** Initially POST. */
  readonly method?: string;
  /** Initially `/oauth2/token`. */
  readonly path?: string;
  /** As pairs, so that one may be sent twice. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}
export interface Received {
  readonly status: number;
  /** Header lines and body. */
  readonly text: string;
  readonly body: string;
}

/** No request of an attack may take longer, on a machine however busy. */
const MAX_WAIT_MS = 30_000;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** @throws Error when there is no answer in time, or the connection ends without one */
export function send(url: string, sending: Sending): Promise<Received> {
  const { method = 'POST', path = '/oauth2/token', headers = [], body = '' } = sending;
  const { hostname, port, host } = new URL(url);
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [
    ...(given.has('host') ? [] : [['host', host] as const]),
    ...(method === 'GET' || given.has('content-length') || given.has('transfer-encoding')
      ? []
      : [['content-length', String(Buffer.byteLength(body))] as const]),
    ...headers,
  ].flat();
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path, agent, headers: lines }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({
          status: answer.statusCode ?? 0,
          text: `${answer.rawHeaders.join('\n')}\n\n${text}`,
          body: text,
        });
      });
    });
    asked.setTimeout(MAX_WAIT_MS, () => asked.destroy(new Error(`no answer within ${MAX_WAIT_MS} ms`)));
    asked.on('error', reject);
    // A GET with a body but no length would be read as two requests.
    asked.end(method === 'GET' ? '' : body);
  });
}

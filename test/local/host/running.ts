/** Starts the test app in this process, and sends it requests that `fetch` would not. */
import { request as send } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createClock } from '../../../src/local/clock.ts';
import { type HostOptions, type RunningHost, startHost } from '../../../src/local/host/host.ts';

export const appFolder = join(import.meta.dirname, 'app');
export const clock = createClock();

/** `lines` holds what the host logged. */
export async function startTestHost(
  options: Partial<HostOptions> = {},
): Promise<RunningHost & { lines: string[] }> {
  const lines: string[] = [];
  const host = await startHost({
    appFolder,
    port: 0,
    log: (line) => lines.push(line),
    now: clock.now,
    sleepUntil: clock.sleepUntil,
    timers: false,
    ...options,
  });
  return { ...host, lines };
}

export interface Answer {
  readonly status: number;
  /** Repeated headers joined by a line break. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends it as it is given: repeated headers, a path that is not normalised, a body of any framing. */
export function ask(
  base: string,
  path: string,
  options: { method?: string; headers?: string[]; body?: string | Buffer; chunked?: boolean } = {},
): Promise<Answer> {
  const { hostname, port, host } = new URL(base);
  const body = options.body === undefined ? undefined : Buffer.from(options.body);
  const headers = ['Host', host, ...(options.headers ?? [])];
  if (body && !options.chunked) headers.push('Content-Length', String(body.length));
  if (options.chunked) headers.push('Transfer-Encoding', 'chunked');
  return new Promise((resolve, reject) => {
    const request = send(
      { hostname, port, path, method: options.method ?? 'GET', headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const joined: Record<string, string> = {};
          for (let i = 0; i < response.rawHeaders.length; i += 2) {
            const name = String(response.rawHeaders[i]).toLowerCase();
            const value = String(response.rawHeaders[i + 1]);
            joined[name] = joined[name] === undefined ? value : `${joined[name]}\n${value}`;
          }
          resolve({
            status: response.statusCode ?? 0,
            headers: joined,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Writes the bytes and returns all that comes back before the connection is closed. */
export function askRaw(base: string, text: string): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

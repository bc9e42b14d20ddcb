/** What becomes of a function's answer on the wire. */
import type { ServerResponse } from 'node:http';
import type { RpcCookie, RpcHttpResponse } from './core.ts';

/** Writes whole answers, with the headers that every answer of the host has. */
export interface Answers {
  /** An answer of the host itself: empty unless `text` is given. */
  plain(res: ServerResponse, status: number, headers?: readonly string[], text?: string): void;
  /** An http function's answer; undefined is 204. @throws Error for a header value that Kestrel refuses. */
  fromFunction(res: ServerResponse, answer: RpcHttpResponse | undefined): void;
}

export function answers(customHeaders: Readonly<Record<string, string>>, now: () => number): Answers {
  const custom = Object.entries(customHeaders).flat();
  let second = 0;
  let date = '';
  const common = () => {
    const ms = now();
    if (Math.floor(ms / 1000) !== second) {
      second = Math.floor(ms / 1000);
      date = new Date(ms).toUTCString();
    }
    return ['Date', date, 'Server', 'Kestrel', ...custom];
  };

  function write(res: ServerResponse, status: number, headers: string[], body: Uint8Array | string): void {
    if (res.headersSent || res.destroyed) return;
    res.sendDate = false;
    const empty = body.length === 0;
    if (empty && status !== 204 && status !== 304 && !names(headers, 'content-length')) {
      headers.push('Content-Length', '0');
    }
    res.writeHead(status, headers);
    if (empty) res.end();
    else res.end(body);
  }

  return {
    plain(res, status, headers = [], text = '') {
      write(res, status, [...common(), ...headers], text);
    },
    fromFunction(res, answer) {
      if (!answer) return write(res, 204, common(), '');
      const headers = common();
      for (const name in answer.headers) {
        const value = answer.headers[name] ?? '';
        if (!isAscii(value)) throw new Error(`the header '${name}' has characters other than ASCII`);
        headers.push(name, value);
      }
      for (const cookie of answer.cookies) headers.push('Set-Cookie', setCookie(cookie));
      write(res, Number(answer.statusCode), headers, answer.body?.bytes ?? '');
    },
  };
}

const isAscii = (value: string) => /^[\t\x20-\x7e]*$/.test(value);
const names = (headers: readonly string[], name: string) =>
  headers.some((each, index) => index % 2 === 0 && each.toLowerCase() === name);

const sameSites = { lax: 'lax', strict: 'strict', explicitNone: 'none' } as const;

/** The host adds `path=/`, and drops an `expires` at the epoch. */
function setCookie(cookie: RpcCookie): string {
  const parts = [`${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`];
  const expires = cookie.expires?.value?.seconds;
  if (expires) parts.push(`expires=${new Date(expires * 1000).toUTCString()}`);
  if (cookie.maxAge?.value !== undefined) parts.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain?.value) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value || '/'}`);
  if (cookie.secure?.value) parts.push('secure');
  if (cookie.sameSite !== 'none') parts.push(`samesite=${sameSites[cookie.sameSite]}`);
  if (cookie.httpOnly?.value) parts.push('httponly');
  return parts.join('; ');
}

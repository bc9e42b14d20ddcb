/**
 * Who may speak with a listener on loopback. Every user of the machine can connect to it, and every page that a
 * browser of the machine shows can try to, so a secret of this run is demanded, and what a browser sends is refused.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What must come at most once: two of them are read differently by different programs. */
const ONCE = new Set([
  'host',
  'authorization',
  'api-key',
  'x-api-key',
  'ocp-apim-subscription-key',
  'x-identity-header',
  'content-length',
  'transfer-encoding',
  'content-type',
  'origin',
]);

/** What a page cannot keep from being sent. `sec-fetch-mode` is not among them: Node's own fetch sends it too. */
const BY_BROWSER = new Set(['origin', 'sec-fetch-site', 'sec-fetch-dest', 'sec-fetch-user']);

/** @param port where the listener is; its name is 127.0.0.1 or localhost, and no other that a DNS may point here */
export function refuseStranger(
  { headers, rawHeaders, method }: IncomingMessage,
  port: number,
): Refusal | undefined {
  const refuse = (status: number, code: string, message: string): Refusal => ({ status, code, message });
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const twice = names.find((name, at) => ONCE.has(name) && names.indexOf(name) !== at);
  if (twice !== undefined) return refuse(400, 'invalid_request', `the header ${twice} comes more than once`);
  if (headers.host !== `127.0.0.1:${port}` && headers.host !== `localhost:${port}`)
    return refuse(
      403,
      'wrong_host',
      `the Host must be 127.0.0.1:${port}: a name that only points here is refused`,
    );
  const isBrowser = names.some((name) => BY_BROWSER.has(name));
  if (isBrowser) return refuse(403, 'browser', 'a page in a browser may not use this address');
  if ('upgrade' in headers || method === 'CONNECT')
    return refuse(400, 'invalid_request', 'a connection here speaks HTTP/1.1 and nothing else');
  // With both, or with a coding that is not chunked, two programs may see two ends of the same body.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || 'content-length' in headers))
    return refuse(400, 'invalid_request', 'the length of the body is said in two ways');
  return undefined;
}

/** Takes the same time however much of the text is right. */
export function isSecret(given: string | undefined, secret: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * The target of a request as a path and a query that every program reads in the same way.
 * @returns undefined for an address of elsewhere, dot segments, and what hides either
 */
export function plainTarget(target: string): { readonly path: string; readonly search: string } | undefined {
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(target) || /[\\#]/.test(target)) return undefined;
  const [path = '', ...rest] = target.split('?');
  if (/%(?:2e|2f|5c|00|0a|0d|25)/i.test(path) || path.includes('//')) return undefined;
  if (path.split('/').some((part) => part === '.' || part === '..')) return undefined;
  return { path, search: rest.length === 0 ? '' : `?${rest.join('?')}` };
}

/**
 * Forwards what a program sends to a loopback address to one account, with a fresh token instead of the program's
 * dummy key. Bytes are passed on as they come, in both directions, so that nothing is held and a stream stays one.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { BrokerError } from '../../client/broker-error.ts';
import type { BrokerToken } from '../../client/broker-token.ts';
import { CommandFailure } from '../failure.ts';
import type { Supply } from '../held-token.ts';
import { isSecret, plainTarget, refuseStranger } from './admit.ts';
import { sendJson } from './listen.ts';

/** RFC 9110 section 7.6.1: these are about one connection, and end there. */
const ONE_CONNECTION = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Where programs put the key of an Azure AI account or of a service like it. None leaves this machine. */
const KEYS = ['authorization', 'api-key', 'x-api-key', 'ocp-apim-subscription-key'];
/** Says where it goes or who speaks: the account gets its own. */
const OWN = new Set(['host', 'expect', 'forwarded', ...KEYS]);

export interface Target {
  readonly supply: Supply;
  readonly key: string;
  /** Of a simulated account: its certificate authority. */
  readonly ca?: Buffer;
}

export function forwarder({ supply, key, ca }: Target) {
  const agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true, ...(ca && { ca }) }),
  };
  return Object.assign(handle, {
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  });

  async function handle(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    port: number,
  ): Promise<void> {
    const refuse = (status: number, code: string, message: string, headers = {}): void => {
      request.resume();
      // What the program has still to send is not waited for.
      sendJson(
        response,
        status,
        { error: { code, type: code, message } },
        { connection: 'close', ...headers },
      );
    };
    const stranger = refuseStranger(request, port);
    if (stranger !== undefined) return refuse(stranger.status, stranger.code, stranger.message);
    if (!isSecret(keyOf(request.headers), key))
      return refuse(
        401,
        'invalid_api_key',
        'the key must be the one that this proxy printed when it started',
      );
    const target = plainTarget(request.url ?? '');
    if (target === undefined)
      return refuse(
        400,
        'invalid_path',
        'the path must be one of the account, without dots, doubled or hidden slashes',
      );
    let token: BrokerToken;
    try {
      token = await supply.get();
    } catch (error) {
      const { status, code, message, headers } = refusalOf(error);
      return refuse(status, code, message, headers);
    }
    const here = `http://127.0.0.1:${port}`;
    const base = new URL(token.endpoint);
    const url = new URL(`${base.pathname.replace(/\/+$/, '')}${target.path}${target.search}`, base.origin);
    if (url.origin !== base.origin) return refuse(400, 'invalid_path', 'the path leads elsewhere');
    await pass({ request, response, url, token, here, refuse });
  }

  interface Passing {
    readonly request: http.IncomingMessage;
    readonly response: http.ServerResponse;
    readonly url: URL;
    readonly token: BrokerToken;
    readonly here: string;
    readonly refuse: (status: number, code: string, message: string) => void;
  }

  async function pass({ request, response, url, token, here, refuse }: Passing): Promise<void> {
    const isPlain = url.protocol === 'http:';
    const upstream = (isPlain ? http : https).request(url, {
      method: request.method ?? 'GET',
      headers: [
        ...passedHeaders(request.rawHeaders),
        ...['host', url.host, 'authorization', `Bearer ${token.accessToken}`],
        ...lengthOf(request),
      ],
      agent: agents[isPlain ? 'http:' : 'https:'],
      setHost: false,
    });
    const bodyless = !('content-length' in request.headers) && !('transfer-encoding' in request.headers);
    // A program that goes away must not leave a call that costs money running.
    response.on('close', () => response.writableFinished || upstream.destroy());
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      upstream.on('response', resolve);
      upstream.on('error', reject);
    });
    answered.catch(() => undefined);
    if (bodyless) upstream.end();
    else pipeline(request, upstream).catch(() => undefined);
    let answer: http.IncomingMessage;
    try {
      answer = await answered;
    } catch {
      return refuse(502, 'account_unreachable', `${url.host} was not reached or broke off`);
    }
    // The account does not accept it any more: the next call gets another.
    if (answer.statusCode === 401) supply.get({ refused: token }).catch(() => undefined);
    const headers = answeredHeaders(answer.rawHeaders, url, here);
    if (headers === 'elsewhere') {
      answer.destroy();
      return refuse(
        502,
        'redirect_refused',
        'the account redirects to elsewhere, where its token must not go',
      );
    }
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
    // A stream of events may begin with a pause; the program must know at once that it was accepted.
    response.flushHeaders();
    await pipeline(answer, response).catch(() => upstream.destroy());
  }
}

/** How long the body is, said anew: what Node adds by itself depends on the method. */
function lengthOf({ headers, method = 'GET' }: http.IncomingMessage): string[] {
  if ('transfer-encoding' in headers) return ['transfer-encoding', 'chunked'];
  if ('content-length' in headers) return [];
  return ['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method) ? [] : ['content-length', '0'];
}

/** The one that is there: a program has one way to send it. */
function keyOf(headers: http.IncomingHttpHeaders): string | undefined {
  const given = KEYS.flatMap((name) => headers[name] ?? []);
  const [only] = given;
  return given.length === 1 ? only?.replace(/^Bearer +/i, '') : undefined;
}

/** With every name and value as it came, in its order. Names that `Connection` lists are about one connection too. */
function passedHeaders(raw: readonly string[]): string[] {
  const dropped = namedByConnection(raw);
  return pairs(raw)
    .filter(([name]) => {
      const lower = name.toLowerCase();
      return (
        !dropped.has(lower) &&
        !OWN.has(lower) &&
        !lower.startsWith('x-forwarded-') &&
        !lower.startsWith('x-ms-client-principal')
      );
    })
    .flat();
}

const LOCATIONS = new Set(['location', 'operation-location', 'azure-asyncoperation', 'content-location']);

/** What points into the account points here, so that the next call finds its token again. */
function answeredHeaders(raw: readonly string[], url: URL, here: string): string[] | 'elsewhere' {
  const dropped = namedByConnection(raw);
  const passed: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (dropped.has(lower)) continue;
    if (!LOCATIONS.has(lower)) {
      passed.push(name, value);
      continue;
    }
    const to = URL.canParse(value, url.href) ? new URL(value, url) : undefined;
    if (to?.origin === url.origin) passed.push(name, `${here}${to.pathname}${to.search}`);
    else if (lower === 'location') return 'elsewhere';
  }
  return passed;
}

function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  const named = pairs(raw).flatMap(([name, value]) =>
    name.toLowerCase() === 'connection'
      ? value
          .toLowerCase()
          .split(',')
          .map((each) => each.trim())
      : [],
  );
  // What says how long the body is stays, whatever the program says of it.
  return new Set([...ONE_CONNECTION, ...named.filter((name) => name !== 'content-length')]);
}

function pairs(raw: readonly string[]): (readonly [name: string, value: string])[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as const] : []));
}

/** OpenAI's clients try 408, 409, 429 and 5xx again, twice; a refusal by the broker must be final. */
function refusalOf(error: unknown) {
  if (error instanceof BrokerError) {
    const isOutage = error.code === 'temporarily_unavailable';
    const headers = isOutage ? { 'retry-after': String(error.retryAfterSeconds ?? 2) } : {};
    return { status: isOutage ? 503 : 403, code: error.code, message: error.message, headers };
  }
  const message = error instanceof CommandFailure ? error.message : 'the command failed';
  const isOutage = error instanceof CommandFailure && error.exitCode === 3;
  return {
    status: isOutage ? 503 : 403,
    code: isOutage ? 'temporarily_unavailable' : 'not_signed_in',
    message,
    headers: {},
  };
}

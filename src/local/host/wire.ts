/**
 * The web server inside the real host, Kestrel, as far as Node's own server differs from it. Node's lenient parser
 * takes the bare line feeds that Kestrel takes; what it takes beyond that is refused here.
 * Known to differ still (test/local/host/wire.test.ts shows each): a method in lower case is 400 here; a header
 * that goes on in the next line is taken here; a connection that never sent a byte is dropped after 30 s, not 130.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface WireLimits {
  /** A larger body is refused before any of it is read. */
  readonly maxBodyBytes: number;
  readonly maxHeaders: number;
  /** A request's head must be whole by then, else 408. */
  readonly headersMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveMs: number;
  /** A body must come at this rate, measured from its start and judged after a grace. */
  readonly minBodyBytesPerSecond: number;
  readonly bodyGraceMs: number;
  /** How long an answered request may still send what nobody reads. */
  readonly drainMs: number;
  /** How long a connection that is closed with bytes unread stays half open, so that the client reads the answer. */
  readonly lingerMs: number;
  /** How often the times are looked at. */
  readonly checkEveryMs: number;
}

/** As the Functions host has them without a setting. */
export const INITIAL_LIMITS: WireLimits = {
  maxBodyBytes: 100 * 1024 * 1024,
  maxHeaders: 100,
  headersMs: 30_000,
  keepAliveMs: 130_000,
  minBodyBytesPerSecond: 240,
  bodyGraceMs: 5_000,
  drainMs: 5_000,
  lingerMs: 1_000,
  checkEveryMs: 1_000,
};

export function createWireServer(limits: WireLimits): Server {
  const server = createServer({
    // The request line has a limit of its own, 414; the rest is for headers, 431.
    maxHeaderSize: 32 * 1024,
    insecureHTTPParser: true,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    // A body may take as long as it likes, as long as it is fast enough.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.checkEveryMs,
  });
  // Each header is counted below; Node would leave out what is beyond its own limit.
  server.maxHeadersCount = 0;
  return server;
}

/** The app setting `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`, in bytes. */
export function bodyLimitOf(settings: Readonly<Record<string, string | undefined>>): Partial<WireLimits> {
  const bytes = Number(settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT']);
  return Number.isInteger(bytes) && bytes > 0 ? { maxBodyBytes: bytes } : {};
}

const VERSIONS = ['1.1', '1.0'];
const HOST = /^[\w.:[\]-]+$/;
const OTHER_THAN_ASCII = /[^\t\x20-\x7e]/;

/** The status with which Kestrel refuses the head of a request, before any route is looked for. */
export function refusedHead(req: IncomingMessage, maxHeaders: number): number | undefined {
  if (!VERSIONS.includes(req.httpVersion)) return 505;
  const { rawHeaders, headers } = req;
  if (rawHeaders.length / 2 > maxHeaders) return 431;
  let hosts = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    if (OTHER_THAN_ASCII.test(rawHeaders[i + 1] ?? '')) return 400;
  }
  if (hosts !== 1 || !HOST.test(headers.host ?? '')) return 400;
  const encoding = headers['transfer-encoding'];
  return encoding === undefined || encoding.toLowerCase() === 'chunked' ? undefined : 400;
}

/**
 * For an answer that ends its connection while the client still sends: what comes is left unread. Node would close
 * at once, and the reset that follows can overtake the answer; so our side ends first, and the socket a little later.
 */
export function leaveUnread(req: IncomingMessage, res: ServerResponse, lingerMs: number): void {
  const { socket } = req;
  // Once a read was begun, Node no longer reads the rest to throw it away; its buffer fills up and that is all.
  req.read(0);
  socket.pause();
  res.shouldKeepAlive = false;
  socket.destroySoon = () => {
    socket.end();
    // Node's server would end the socket a second time when the client ends its side, and make an error of it.
    socket.removeAllListeners('end');
    socket.once('end', () => socket.destroy());
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}

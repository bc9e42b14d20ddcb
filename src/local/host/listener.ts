/** From a request on the socket to the function whose route it matches, and back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answers } from './answer.ts';
import { readAnnounced } from './body.ts';
import { invoke, type Runtime } from './invoke.ts';
import type { Match, Routes } from './routes.ts';
import { sparseLog } from './sparse-log.ts';
import { decodePath, joinHeaders, joinQuery } from './target.ts';
import { leaveUnread, refusedHead, type WireLimits } from './wire.ts';

/** Kestrel's limit on the request line. */
const maxRequestLineBytes = 8192;
/** What was not understood, or not read, ends its connection. */
const CLOSE = ['Connection', 'close'];

export interface ListenerOptions {
  readonly runtime: Runtime;
  readonly routes: Routes;
  readonly answers: Answers;
  readonly limits: WireLimits;
  /** Requests that may be with functions at once; -1 is unbounded. */
  readonly maxOutstandingRequests: number;
  /** The host's own routes, `/admin` and `/runtime`. `path` in lower case, `query` without its `?`. */
  readonly own: (req: IncomingMessage, res: ServerResponse, path: string, query: string) => Promise<void>;
}
export interface Listener {
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** What the host does when its worker dies: every request in flight is answered 500 at once. */
  abort(): void;
}

export function createListener(options: ListenerOptions): Listener {
  const { runtime, routes, answers, own, limits } = options;
  const mostInFlight =
    options.maxOutstandingRequests < 0 ? Number.POSITIVE_INFINITY : options.maxOutstandingRequests;
  const inFlight = new Set<ServerResponse>();
  const logRefusedBody = sparseLog(runtime.log);

  async function run(req: IncomingMessage, res: ServerResponse, match: Match, path: string, query: string) {
    inFlight.add(res);
    try {
      const body = await readAnnounced(req, res, limits);
      if (typeof body === 'string') {
        logRefusedBody(`The body of a request to 'Functions.${match.fn.name}' is refused: ${body}`);
        leaveUnread(req, res, limits.lingerMs);
        return answers.plain(res, 500);
      }
      const http = {
        method: req.method ?? 'GET',
        url: `http://${req.headers.host}${path}${query && `?${query}`}`,
        headers: joinHeaders(req.rawHeaders),
        query: query ? joinQuery(query) : {},
        params: match.params,
        ...(body.length > 0 ? { body: { bytes: body } } : {}),
      };
      const answer = await invoke(runtime, match.fn, { http });
      if (isAmbiguous(req)) res.shouldKeepAlive = false;
      answers.fromFunction(res, answer);
    } catch (error) {
      if (!req.destroyed || req.complete) runtime.log(failed(match.fn.name, error));
      answers.plain(res, 500);
    } finally {
      inFlight.delete(res);
    }
  }

  return {
    abort() {
      for (const res of inFlight) answers.plain(res, 500);
    },
    handle(req, res) {
      // A timer for a request that is whole would keep it in memory for all that time.
      if (hasBody(req))
        res.once('finish', () => {
          if (!req.complete) setTimeout(dropUnread, limits.drainMs, req).unref();
        });
      const target = req.url ?? '/';
      if (target.length + (req.method?.length ?? 0) + 12 > maxRequestLineBytes)
        return answers.plain(res, 414, CLOSE);
      const refused = refusedHead(req, limits.maxHeaders);
      if (refused !== undefined) return answers.plain(res, refused, CLOSE);
      const mark = target.indexOf('?');
      const query = mark < 0 ? '' : target.slice(mark + 1);
      if (target === '*' && req.method === 'OPTIONS') return answers.plain(res, 404);
      const decoded = decodePath(mark < 0 ? target : target.slice(0, mark));
      if (decoded === 'badRequest') return answers.plain(res, 400, CLOSE);
      const { path } = decoded;

      if (/^\/(admin|runtime)(\/|$)/i.test(path)) {
        own(req, res, path.toLowerCase().replace(/\/$/, ''), query).catch((error: unknown) => {
          runtime.log(`${path} failed: ${error instanceof Error ? error.stack : error}`);
          answers.plain(res, 500);
        });
        return;
      }
      const match = routes.find(req.method ?? 'GET', path);
      if (!match) {
        const home = path === '/' && (req.method === 'GET' || req.method === 'HEAD');
        return home
          ? answers.plain(res, 200, ['Content-Type', 'text/html'], homepage)
          : answers.plain(res, 404);
      }
      if (inFlight.size >= mostInFlight) return answers.plain(res, 429, ['X-FUNCTION-SCALEOUT', '1']);
      void run(req, res, match, target.slice(0, mark < 0 ? undefined : mark), query);
    },
  };
}

const homepage = '<!DOCTYPE html><title>Functions</title><p>The Functions host is up and running.</p>\n';

const hasBody = ({ headers }: IncomingMessage) =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
/** Both framings at once (RFC 9112 section 6.3): the body counts as chunked, and nothing more is read after it. */
const isAmbiguous = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined && headers['content-length'] !== undefined;

function dropUnread(req: IncomingMessage): void {
  if (!req.complete) req.socket.destroy();
}

export function failed(name: string, error: unknown): string {
  return `Executed 'Functions.${name}' (Failed): ${error instanceof Error ? error.stack : String(error)}`;
}

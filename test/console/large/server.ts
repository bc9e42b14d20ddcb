/** The console over the made-up broker, on loopback: its page without the sign-in, and the answers that its views ask for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { accountsOf, exchanges, idOf, iso, policyOf, SIZE } from './data.ts';
import { rollUp, usageOf } from './usage.ts';

const root = join(import.meta.dirname, '../../..');
/** As the deployed page has it, without an authority. */
const SECURITY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Azure AI token broker</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/console.css"><script type="module" src="/console.js"></script></head>
<body><div id="app"></div></body></html>`;
const OPEN = `import { render, h } from 'preact';
import { App } from './app.ts';
import { createApi } from './api.ts';
import { createBrokerClock } from './clock.ts';
const clock = createBrokerClock(() => Date.now());
const api = createApi({ fetch: (url, init) => fetch(url, init), token: async () => 'none', heard: clock.heard,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)), newKey: () => crypto.randomUUID() });
render(h(App, { api, clock, person: { name: 'Ada', mayAct: true }, signOut() {} }), document.getElementById('app'));`;

async function bundle() {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: OPEN, resolveDir: join(root, 'src/console'), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  const style = await esbuild.build({
    entryPoints: [join(root, 'src/console/style.css')],
    bundle: true,
    write: false,
  });
  return { script: outputFiles[0]?.contents, style: style.outputFiles[0]?.contents };
}

/** @param most how many exchanges in the last thirty days */
export async function startLarge(
  nowMs: number,
  most: number = SIZE.exchanges,
): Promise<{ readonly url: string; close(): void }> {
  const { script, style } = await bundle();
  const usage = usageOf(rollUp(exchanges(nowMs, most)));
  const policy = policyOf();
  const shadowed = policy.grants.flatMap(({ name, shadow }) => (shadow ? [name] : []));
  const accounts = accountsOf(nowMs);
  const records = lastRecords(nowMs, most);
  const answers: Readonly<Record<string, (query: URLSearchParams) => object>> = {
    accounts: () => ({ items: accounts }),
    policy: () => ({
      version: '0'.repeat(64),
      how: 'applied',
      by: 'a pipeline',
      reason: 'measured',
      at: iso(nowMs),
      policy,
      shadowed,
    }),
    usage,
    audit: (query) => ({
      items: records
        .filter(({ at }) => at >= (query.get('from') ?? '') && at < (query.get('to') ?? ''))
        .filter(({ outcome }) => outcome === (query.get('outcome') ?? outcome))
        .slice(0, Number(query.get('limit'))),
    }),
    events: () => ({ items: eventsOf(nowMs) }),
    revocations: () => ({ items: [] }),
    operations: () => ({ items: [] }),
  };
  /** An account that is opened, whose keys nothing has happened to. */
  const aboutOne = (path: string): (() => object) | undefined => {
    const [, name, rest] = /^accounts\/([^/]+)(\/history)?$/.exec(path) ?? [];
    const one = accounts.find((account) => account.name === name);
    if (one === undefined) return undefined;
    return () => (rest === undefined ? one : { items: [] });
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const path = pathname.replace('/operator/', '');
    const found = answers[path] ?? aboutOne(path);
    if (pathname === '/console') send(response, 'text/html', PAGE, { 'content-security-policy': SECURITY });
    else if (pathname === '/console.js') send(response, 'text/javascript', script);
    else if (pathname === '/console.css') send(response, 'text/css', style);
    else if (found !== undefined && isRead(request))
      send(response, 'application/json', JSON.stringify(found(searchParams)));
    else send(response.writeHead(404), 'application/json', '{"detail":"not in this broker"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/console`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const isRead = ({ method }: IncomingMessage): boolean => method === 'GET';

function send(
  response: ServerResponse,
  type: string,
  body: string | Uint8Array | undefined,
  headers = {},
): void {
  if (!response.headersSent)
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, ...headers });
  response.end(body);
}

/** The last of the exchanges, as the audit has them. */
function lastRecords(nowMs: number, most: number) {
  return [...exchanges(nowMs, most)]
    .slice(-RECORDS)
    .map(({ atMs, caller, resource, grant, kind, outcome, reason }, place) => ({
      at: iso(atMs),
      correlationId: idOf('a', place),
      outcome,
      instance: idOf('b', 1),
      clientId: idOf('c', caller),
      objectId: idOf('d', caller),
      resource,
      ...(outcome === 'granted' ? { grant, tokenKind: kind } : { reason }),
    }));
}

const RECORDS = 2_800;

const eventsOf = (nowMs: number) =>
  Array.from({ length: 1_000 }, (_, place) => {
    const at = iso(nowMs - place * 60_000);
    if (place % 10 === 3)
      return {
        kind: 'poison',
        at,
        receivedAt: at,
        id: `e${place}`,
        type: 'Contoso.Unknown',
        subject: '/x',
        why: 'data: is missing',
        source: '/subscriptions/1',
      };
    if (place % 10 === 6)
      return {
        kind: 'signal',
        at,
        receivedAt: at,
        transmitter: 'idp',
        types: 'session-revoked',
        outcome: 'revoked',
        content: `c${place}`,
      };
    return {
      kind: 'effect',
      at,
      receivedAt: at,
      inForceAt: iso(nowMs - place * 60_000 + 41),
      key: `user:${idOf('e', 1)}:${idOf('d', place)}`,
      reason: 'account disabled',
      source: 'event grid',
    };
  });

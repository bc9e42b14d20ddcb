/**
 * `GET /console`: the page of the console, and the two files that it loads. They hold nothing secret, so anybody may
 * have them; what they show comes from `/operator/*`, with the reader's own token.
 */
import { gzipSync } from 'node:zlib';
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { problem } from './problem.ts';

export interface ConsolePorts {
  /** The console's app registration. Undefined: there is no console. */
  readonly clientId: string | undefined;
  readonly authority: string;
  readonly tenantId: string;
  /** What the page asks a token for. */
  readonly scope: string;
  /** A file of the console's folder. */
  readonly read: (name: string) => Promise<Uint8Array>;
}

const fileNames = z.strictObject({ script: z.string(), style: z.string() });
const TYPES = { script: 'text/javascript; charset=utf-8', style: 'text/css; charset=utf-8' } as const;

interface Asset {
  readonly type: string;
  readonly packed: Uint8Array;
  readonly plain: Uint8Array;
}

export function createConsole({ clientId, authority, tenantId, scope, read }: ConsolePorts) {
  async function load() {
    const names = fileNames.parse(JSON.parse(new TextDecoder().decode(await read('files.json'))));
    const assets = new Map<string, Asset>();
    for (const what of ['script', 'style'] as const) {
      const plain = await read(names[what]);
      assets.set(names[what], { type: TYPES[what], plain, packed: gzipSync(plain, { level: 9 }) });
    }
    return { names, assets };
  }
  let loading: ReturnType<typeof load> | undefined;
  /** Nothing is read before somebody opens the console, and then once. */
  const files = () => {
    loading ??= load();
    return loading;
  };
  const absent = () =>
    problem(404, 'Not Found', 'this broker has no console: BROKER_CONSOLE_CLIENT_ID is not set');

  async function page(): Promise<HttpResponseInit> {
    if (clientId === undefined) return absent();
    const { names } = await files();
    const settings = JSON.stringify({ clientId, authority, tenantId, scope });
    return {
      headers: {
        ...COMMON,
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': securityPolicy(authority),
        'cross-origin-opener-policy': 'same-origin',
        'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
        // For what does not know frame-ancestors.
        'x-frame-options': 'DENY',
      },
      body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Azure AI token broker</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="console" content="${escaped(settings)}">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/console/assets/${names.style}">
<script type="module" src="/console/assets/${names.script}"></script>
</head>
<body><div id="app"></div><noscript>The console needs JavaScript.</noscript></body>
</html>
`,
    };
  }

  async function asset({ params, headers }: HttpRequest): Promise<HttpResponseInit> {
    if (clientId === undefined) return absent();
    const found = (await files()).assets.get(params['name'] ?? '');
    // After a deployment an open page may ask for what was there before.
    if (found === undefined)
      return problem(404, 'Not Found', 'no such file of the console: load the page again');
    const takesPacked = /\bgzip\b/.test(headers.get('accept-encoding') ?? '');
    return {
      headers: {
        ...COMMON,
        'content-type': found.type,
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'Accept-Encoding',
        ...(takesPacked && { 'content-encoding': 'gzip' }),
      },
      body: takesPacked ? found.packed : found.plain,
    };
  }
  return { page, asset };
}

const COMMON = {
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Own files, the broker's API and the authority's token endpoint; no markup from text (Trusted Types). */
function securityPolicy(authority: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src 'self' ${new URL(authority).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

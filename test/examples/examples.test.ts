/** Each example as it stands, with the package as it is published, against the local mode. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Stack, startStack } from '../flows/stack.ts';
import { type Installed, install } from '../infra/installed.ts';
import { buildCsharp, whyNoCsharp } from './csharp.ts';

const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'examples-'));
const here = import.meta.dirname;
let stack: Stack;
let made: Installed;
let page: Awaited<ReturnType<typeof servePage>>;
before(async () => {
  page = await servePage();
  made = await install(folder, ['@azure', 'openai', 'microsoft-cognitiveservices-speech-sdk']);
  stack = await startStack([], { BROKER_CORS_ORIGINS: page.origin });
  await stack.warm();
});
after(async () => {
  page?.close();
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** As an app has it that was given an identity, and the address of the resource it uses. */
function environment(name: string, resource: string): Record<string, string> {
  const { entra, broker, ca, callers, resources } = stack.description;
  const caller = callers.find((one) => one.name === name) ?? assert.fail(name);
  // What this machine trusts is not what `run` is to decide here.
  const { NODE_TEST_CONTEXT: _, SSL_CERT_FILE: _file, SSL_CERT_DIR: _folder, ...env } = process.env;
  return {
    ...(env as Record<string, string>),
    PATH: [join(made.bin, '..'), env['PATH']].join(delimiter),
    BROKER: broker,
    BROKER_SCOPE: entra.scope,
    ENDPOINT: resources.find((one) => one.name === resource)?.endpoint ?? assert.fail(resource),
    AZURE_AI_TOKEN_BROKER: broker,
    AZURE_AI_TOKEN_BROKER_SCOPE: entra.scope,
    AZURE_AUTHORITY_HOST: entra.authority,
    AZURE_TENANT_ID: caller.tenantId,
    AZURE_CLIENT_ID: caller.clientId,
    AZURE_CLIENT_SECRET: caller.clientSecret ?? '',
    NODE_EXTRA_CA_CERTS: ca,
    CURL_CA_BUNDLE: ca,
  };
}
async function show(command: readonly string[], name: string, resource: string): Promise<string> {
  const [file = '', ...args] = command;
  const { stdout } = await execute(file, args, { cwd: made.app, env: environment(name, resource) });
  return stdout;
}
const has = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const unless = (program: string) => ({ skip: has(program) ? false : `${program} is not on this machine` });

for (const [file, caller, resource, shows] of [
  ['node-chat.mjs', 'nightly', 'chat', /^You said: Hello$/m],
  ['node-speech.mjs', 'captions', 'speech', /^Heard 500 ms\.$/m],
  ['translator-fetch.mjs', 'translations', 'translator', /^\[de\] Hello$/m],
] as const)
  test(`${file} is served`, async () => {
    copyFileSync(join(here, file), join(made.app, file));
    assert.match(await show([process.execPath, file], caller, resource), shows);
  });

test('translate.py is served under run', unless('python3'), async () => {
  const run = [made.bin, 'run', 'translator', '--', 'python3', join(here, 'translate.py')];
  assert.match(await show(run, 'translations', 'translator'), /^\[de\] Hello$/m);
});

test('voices.sh is served', unless('curl'), async () => {
  assert.match(await show(['sh', join(here, 'voices.sh')], 'captions', 'speech'), /"ShortName"/);
});

/** A browser that is on the machine; nothing is downloaded for this. */
const browser = ['chromium', 'chromium-browser', 'google-chrome', 'microsoft-edge'].find(has);

test('page.html has a token of the user who has signed in', {
  skip: browser === undefined ? 'no Chromium is on this machine' : false,
}, async () => {
  const { entra, broker, resources } = stack.description;
  const endpoint = resources.find(({ name }) => name === 'chat')?.endpoint ?? '';
  const data = { issuer: broker, scope: entra.scope, endpoint };
  page.fill(data, await stack.callerToken('ada'));
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--virtual-time-budget=10000',
    '--dump-dom',
  ];
  const profile = `--user-data-dir=${join(folder, 'browser')}`;
  const { stdout } = await execute(browser ?? '', [...options, profile, `${page.origin}/`]);
  // Of the page only this: its script has the user's own token.
  const shown = /<output>(.*)<\/output>/.exec(stdout)?.[1] ?? 'no output';
  assert.match(shown, /^a token of \d{3,} characters for https:/);
});

/** The example with what a page gets from its own site: its settings, and MSAL with a user who has signed in. */
async function servePage() {
  let html = '';
  const server = createServer((request, response) => {
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(html);
    const file = join(made.app, new URL(request.url ?? '', 'http://page').pathname);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fill: (data: Readonly<Record<string, string>>, own: string) => {
      const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${value}"`);
      const msal = `<script>window.msal = { acquireTokenSilent: async () => ({ accessToken: '${own}' }) }</script>`;
      html = readFileSync(join(here, 'page.html'), 'utf8')
        .replace('<html lang="en"', `<html lang="en"${attributes.join('')}`)
        .replace('<output>', `${msal}<output>`);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('the C# program with Azure.Identity is served under run', async (context) => {
  const reason = await whyNoCsharp();
  if (reason !== undefined) return context.skip(reason);
  const program = await buildCsharp(folder);
  const run = [made.bin, 'run', 'chat', '--', 'dotnet', program];
  assert.match(await show(run, 'nightly', 'chat'), /^200 .*You said: Hello/m);
});

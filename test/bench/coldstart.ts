/**
 * How long from the start of a process until its first request is answered: the deployed bundle against a
 * bundle with one function that says hello. Both in the embedded host, so what differs is the app.
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { type Built, build, bytesAtStart } from '../../infra/build.ts';

const root = join(import.meta.dirname, '../..');
const STARTS = 9;

export interface ColdStart {
  /** Medians over `STARTS` starts, the two kinds in turn, so that a busy machine slows both. */
  readonly helloMs: number;
  readonly tokenMs: number;
  readonly ratio: number;
  /** The fastest of each, which a busy machine disturbs least. */
  readonly fastestMs: { readonly hello: number; readonly token: number };
  readonly bundle: { readonly totalKiB: number; readonly startKiB: number };
}

export async function coldStartBench(): Promise<ColdStart> {
  const folder = mkdtempSync(join(tmpdir(), 'coldstart-'));
  const tables = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.writeHead(request.method === 'GET' ? 200 : 204, { etag: 'W/"1"' }).end());
  }).listen(0, '127.0.0.1');
  try {
    await once(tables, 'listening');
    const built = await build('issuer', join(folder, 'app'), join(root, 'infra/policy.json'));
    await bundleHello(join(folder, 'hello'));
    const environment = settingsFor(
      `http://127.0.0.1:${(tables.address() as AddressInfo).port}/devstoreaccount1`,
    );
    const hello: number[] = [];
    const token: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      hello.push((await firstAnswer(join(folder, 'hello'), {}, HELLO)).tookMs);
      token.push((await firstAnswer(join(folder, 'app'), environment, REFUSED_EXCHANGE)).tookMs);
    }
    const helloMs = median(hello);
    const tokenMs = median(token);
    return {
      helloMs,
      tokenMs,
      ratio: Number((tokenMs / helloMs).toFixed(2)),
      fastestMs: { hello: Math.min(...hello), token: Math.min(...token) },
      bundle: sizeOf(built),
    };
  } finally {
    tables.close();
    tables.closeAllConnections();
    rmSync(folder, { recursive: true });
  }
}

/** What each production dependency costs to load, alone in a fresh process: the fastest of some, in milliseconds. */
export function dependencyCosts(): Record<string, number> {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const names = Object.keys(dependencies);
  return Object.fromEntries(
    names.map((name) => {
      const script = `const t = performance.now(); await import('${name}'); process.stdout.write(String(performance.now() - t));`;
      const took = Array.from({ length: 5 }, () => {
        const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
          cwd: root,
          encoding: 'utf8',
        });
        if (run.status !== 0) throw new Error(`${name}: ${run.stderr}`);
        return Number(run.stdout);
      });
      return [name, Math.round(Math.min(...took))];
    }),
  );
}

export const HELLO = { path: '/api/hello', status: 200 };
/** A caller's token that is none: parsed, refused, and the refusal is on record before it is answered. */
export const REFUSED_EXCHANGE = {
  status: 400,
  path: '/oauth2/token',
  form: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'e30.e30.e30',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: 'speech',
  }),
};

/** @returns wall time and processor time until the first answer, in milliseconds */
export async function firstAnswer(
  appFolder: string,
  environment: Record<string, string>,
  ask: { path: string; status: number; form?: URLSearchParams },
): Promise<{ readonly tookMs: number; readonly processorMs: number }> {
  const startedMs = performance.now();
  const child = fork(join(import.meta.dirname, 'app-process.ts'), {
    cwd: appFolder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [{ url }] = await Promise.race([once(child, 'message'), rejectOnExit(child)]);
    const response = await fetch(`${url}${ask.path}`, ask.form && { method: 'POST', body: ask.form });
    await response.arrayBuffer();
    const tookMs = performance.now() - startedMs;
    if (response.status !== ask.status) throw new Error(`${ask.path} answered ${response.status}`);
    const told = once(child, 'message');
    child.send('cpu');
    const [{ cpu }] = await told;
    return { tookMs: Math.round(tookMs), processorMs: Math.round((cpu.user + cpu.system) / 1000) };
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function rejectOnExit(child: ReturnType<typeof fork>): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the app's process ended with ${code}`);
}

export async function bundleHello(folder: string): Promise<void> {
  mkdirSync(folder);
  await esbuild.build({
    absWorkingDir: root,
    stdin: {
      contents: `import { app } from '@azure/functions'; app.http('hello', { handler: () => ({ body: 'hello' }) });`,
      resolveDir: root,
    },
    outfile: join(folder, 'main.js'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    external: ['@azure/functions-core'],
  });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ main: 'main.js' }));
  writeFileSync(join(folder, 'host.json'), JSON.stringify({ version: '2.0' }));
}

/** Every setting without a default. Nothing of this is called: the exchange is refused before. */
export function settingsFor(tables: string): Record<string, string> {
  const id = '00000000-0000-4000-8000-000000000001';
  return {
    BROKER_ISSUER: 'https://localhost',
    BROKER_TENANT_ID: id,
    BROKER_CLIENT_ID: id,
    BROKER_KEY_VAULT_URL: 'https://localhost',
    BROKER_TABLES_URL: tables,
    BROKER_BLOBS_URL: 'https://localhost:1',
    BROKER_ISSUER_IDENTITY: id,
    BROKER_QUEUES_URL: 'https://localhost',
  };
}

function sizeOf({ sizes, metafile }: Built): ColdStart['bundle'] {
  const total = [...sizes].reduce((sum, [file, bytes]) => sum + (file.endsWith('.js') ? bytes : 0), 0);
  return { totalKiB: Math.round(total / 1024), startKiB: Math.round(bytesAtStart(metafile) / 1024) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

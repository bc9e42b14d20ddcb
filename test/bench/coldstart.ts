/**
 * How long from the start of a process until its first request is answered, for the deployed bundle and for a bundle with
 * one function that says hello. Both are in the embedded host, which is compiled too, so that what differs is the app.
 * A granted exchange asks the whole simulated Azure: the tables, the vault, the account, Entra and the identity.
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { type Built, build, bytesAtStart } from '../../infra/build.ts';
import { giveServersCore } from './cores.ts';
import { type Spread, spread } from './load.ts';
import type { BenchOptions } from './options.ts';
import { type Stack, startStack } from './stack.ts';

const root = join(import.meta.dirname, '../..');

export interface ColdStart {
  /** Medians over the starts, the kinds in turn, so that a busy machine slows all of them. */
  readonly helloMs: number;
  readonly tokenMs: number;
  readonly ratio: number;
  /** By what the first request was; `hello` is that of the other app. */
  readonly firstMs: Readonly<Record<Kind, Spread>>;
  readonly cpuMs: Readonly<Record<Kind, Spread>>;
  /** Of the medians, to `hello`. */
  readonly ofHello: Readonly<Record<Exclude<Kind, 'hello'>, number>>;
  readonly bundle: { readonly totalKiB: number; readonly startKiB: number };
}

type Kind = 'hello' | 'refused' | 'sts' | 'entra';

interface First {
  readonly folder: string;
  readonly path: string;
  readonly form?: string;
  readonly status: number;
}

export async function coldStartBench({ rounds }: BenchOptions): Promise<ColdStart> {
  const folder = mkdtempSync(join(tmpdir(), 'coldstart-'));
  await using stack = await startStack();
  try {
    const policy = String(stack.description.environment.issuer['BROKER_POLICY']);
    const built = await build('issuer', join(folder, 'app'), [policy]);
    await bundleHello(join(folder, 'hello'));
    const host = await compileHost(folder);
    const firsts = await firstRequests(stack, folder);
    const kinds = Object.keys(firsts) as Kind[];
    const took = Object.fromEntries(kinds.map((kind) => [kind, []])) as unknown as Record<Kind, number[]>;
    const cpu = structuredClone(took);
    for (let round = 0; round < rounds; round += 1)
      for (const kind of kinds) {
        const first = await firstAnswer(host, firsts[kind], stack.description.environment.issuer);
        took[kind].push(first.ms);
        cpu[kind].push(first.cpuMs);
      }
    const spreads = (all: Record<Kind, number[]>) =>
      Object.fromEntries(kinds.map((kind) => [kind, spread(all[kind])])) as Record<Kind, Spread>;
    const firstMs = spreads(took);
    const ofHello = (kind: Kind) => Number((firstMs[kind].median / firstMs.hello.median).toFixed(2));
    return {
      helloMs: firstMs.hello.median,
      tokenMs: firstMs.refused.median,
      ratio: ofHello('refused'),
      firstMs,
      cpuMs: spreads(cpu),
      ofHello: { refused: ofHello('refused'), sts: ofHello('sts'), entra: ofHello('entra') },
      bundle: sizeOf(built),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function firstRequests(stack: Stack, folder: string): Promise<Record<Kind, First>> {
  const app = join(folder, 'app');
  const exchange = async (caller: string, resource: string, tokenKind: string): Promise<First> => {
    const [form] = (await stack.target({ caller, resource, tokenKind, callers: 1 })).bodies;
    return { folder: app, path: '/oauth2/token', form: form ?? '', status: 200 };
  };
  return {
    hello: { folder: join(folder, 'hello'), path: '/api/hello', status: 200 },
    // A caller's token that is none.
    refused: {
      folder: app,
      path: '/oauth2/token',
      form: 'grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=e30.e30.e30&subject_token_type=urn:ietf:params:oauth:token-type:access_token&resource=speech',
      status: 400,
    },
    sts: await exchange('captions', 'speech', 'sts'),
    entra: await exchange('nightly', 'chat', 'entra'),
  };
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

export async function firstAnswer(
  host: string,
  { folder, path, form, status }: First,
  environment: Readonly<Record<string, string>>,
): Promise<{ ms: number; cpuMs: number }> {
  const startedMs = performance.now();
  const child = fork(host, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    giveServersCore(child.pid ?? 0);
    const [{ url }] = await Promise.race([once(child, 'message'), rejectOnExit(child)]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(
      `${url}${path}`,
      form === undefined ? {} : { method: 'POST', body: form, headers },
    );
    const text = await response.text();
    const ms = performance.now() - startedMs;
    if (response.status !== status) throw new Error(`${path} answered ${response.status}: ${text}`);
    child.send('cpu');
    const [{ cpuMicros }] = await once(child, 'message');
    return { ms, cpuMs: cpuMicros / 1000 };
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function rejectOnExit(child: ReturnType<typeof fork>): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the app's process ended with ${code}`);
}

/** Without it, a start would be charged for the types that Node strips of the host's own files. */
export async function compileHost(folder: string): Promise<string> {
  const outfile = join(folder, 'host.mjs');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join(import.meta.dirname, 'app-process.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    external: ['esbuild'],
    logLevel: 'error',
  });
  return outfile;
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

function sizeOf({ sizes, metafile }: Built): ColdStart['bundle'] {
  const total = [...sizes].reduce((sum, [file, bytes]) => sum + (file.endsWith('.js') ? bytes : 0), 0);
  return { totalKiB: Math.round(total / 1024), startKiB: Math.round(bytesAtStart(metafile) / 1024) };
}

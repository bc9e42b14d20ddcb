/** The command as a person runs it: a process of its own, in the clone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const launcher = join(import.meta.dirname, '../../src/cli/launcher.cjs');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
export interface Started {
  readonly child: ChildProcess;
  out(): string;
  readonly ended: Promise<Ran>;
}
/** What the machine's own surroundings must not decide in a test. */
const cleared = [
  'AZURE_AI_TOKEN_BROKER',
  'AZURE_AI_TOKEN_BROKER_SCOPE',
  'BROKER_SCOPE',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_TENANT_ID',
  'AZURE_AUTHORITY_HOST',
  'AZURE_SUBSCRIPTION_ID',
  'AZURE_RESOURCE_GROUP',
  'NODE_TEST_CONTEXT',
];

export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !cleared.includes(name)));
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { ...kept, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (part) => {
    out += part;
  });
  child.stderr.on('data', (part) => {
    err += part;
  });
  const ended = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { child, out: () => out, ended };
}

export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ran> {
  const { child, ended } = start(args, env);
  child.stdin?.end(input);
  return ended;
}

/** Until the process has printed its first line. */
export async function firstLine({ child, out, ended }: Started): Promise<string> {
  while (!out().includes('\n')) {
    if (child.exitCode !== null) throw new Error(`it has ended: ${(await ended).err}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return out().split('\n')[0] ?? '';
}

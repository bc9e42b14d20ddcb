/**
 * Real published SDKs over an hour of virtual time, in which each key-exchange token lives for ten minutes: with the
 * broker's client in the place of their credential, and unchanged under `run`. Never a 401.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { wallNow } from '../../src/local/clock.ts';
import { buildCsharp, whyNoCsharp } from '../examples/csharp.ts';
import type { Plan, Told } from './sdk-hour-app.ts';
import { type Stack, startStack } from './stack.ts';

const execute = promisify(execFile);
const SPEED = 60;
const app = join(import.meta.dirname, 'sdk-hour-app.ts');
const launcher = join(import.meta.dirname, '../../src/cli/launcher.cjs');
/** An hour of virtual time. */
const wallMs = 3_600_000 / SPEED;

let stack: Stack;
before(async () => {
  stack = await startStack(['--speed', `${SPEED}`]);
  await stack.warm();
});
after(async () => {
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const folder = mkdtempSync(join(tmpdir(), 'sdk-hour-'));

async function hour(command: readonly string[], plan: Plan): Promise<Record<string, Told>> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await execute(process.execPath, [...command, app], {
    env: { ...env, NODE_EXTRA_CA_CERTS: stack.description.ca, SDK_HOUR: JSON.stringify(plan) },
    maxBuffer: 10_000_000,
  });
  return JSON.parse(stdout);
}

/** The C# example, which makes two calls a second. */
async function dotnetHour(command: readonly string[], program: string, endpoint: string) {
  const [, , ...options] = [...command].reverse();
  // What this machine trusts is not what `run` is to decide here.
  const { NODE_TEST_CONTEXT: _, SSL_CERT_FILE: _file, SSL_CERT_DIR: _folder, ...env } = process.env;
  const { stdout } = await execute(process.execPath, [...options.reverse(), '--', 'dotnet', program], {
    env: { ...env, ENDPOINT: endpoint, CALLS: String(wallMs / 500) },
    maxBuffer: 10_000_000,
  });
  const lines = stdout.trim().split('\n');
  return {
    'Azure.Identity of .NET': {
      calls: lines.length,
      failures: lines.filter((line) => !line.startsWith('200 ')),
    },
  };
}

test('for an hour no SDK meets a 401, by constructor and unchanged under run', async (context) => {
  const { broker, entra, callers, resources } = stack.description;
  const asked = wallNow();
  const { now } = (await stack.control('GET', '/clock')) as { now: string };
  const endpoints = Object.fromEntries(resources.map(({ name, endpoint }) => [name, endpoint]));
  const secrets = callers.map(({ name, tenantId, clientId, clientSecret = '' }) => [
    name,
    { tenantId, clientId, clientSecret },
  ]);
  const own: Plan['broker'] = {
    clock: { wallMs: asked, virtualMs: Date.parse(now), speed: SPEED },
    issuer: broker,
    authority: entra.authority,
    scope: entra.scope,
    callers: Object.fromEntries(secrets),
  };
  const run = (resource: string, caller: string) =>
    [launcher, '--broker', broker, 'run', resource, '--as', caller, '--', process.execPath] as const;
  const reason = await whyNoCsharp();
  if (reason !== undefined) context.diagnostic(`Azure.Identity of .NET is left out: ${reason}`);
  const program = reason === undefined ? await buildCsharp(folder) : undefined;
  const [byConstructor, ...underRun] = await Promise.all([
    hour([], { sdks: ['identity', 'openai', 'translation', 'speech'], wallMs, endpoints, broker: own }),
    hour(run('chat', 'nightly'), { sdks: ['identity', 'openai'], wallMs, endpoints }),
    hour(run('translator', 'translations'), { sdks: ['translation'], wallMs, endpoints }),
    hour(run('speech', 'captions'), { sdks: ['speech'], wallMs, endpoints }),
    program === undefined ? {} : dotnetHour(run('chat', 'nightly'), program, endpoints['chat'] ?? ''),
  ]);
  for (const [form, told] of [
    ['constructor', byConstructor],
    ['run', Object.assign({}, ...underRun)],
  ] as const)
    for (const sdk of Object.keys(told)) {
      const { calls, failures } = told[sdk] ?? assert.fail(`${form} ${sdk}`);
      context.diagnostic(`${form.padEnd(11)} ${sdk.padEnd(11)} ${calls} calls, ${failures.length} failures`);
      assert.deepEqual(failures, [], `${form} ${sdk}`);
      assert.ok(calls >= 20, `${form} ${sdk}: ${calls}`);
    }
  const { requests } = (await stack.control('GET', '/requests')) as {
    requests: { service: string; operation: string; status: number; resource: string }[];
  };
  const refused = requests.filter(({ service, status }) => service === 'ai' && status === 401);
  assert.deepEqual(refused, []);
  const count = (operation: string, status: number) =>
    requests.filter((one) => one.operation === operation && one.status === status).length;
  const [bought, connected] = [count('issueToken', 200), count('recognize', 101)];
  context.diagnostic(
    `${bought} key-exchange tokens were bought, and the two recognizers connected ${connected} times`,
  );
  // Two accounts, and no token that lives longer than ten minutes.
  assert.ok(bought >= 12, `${bought}`);
  assert.ok(connected >= 12, `${connected}`);
});

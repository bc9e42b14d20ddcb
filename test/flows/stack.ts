/** The whole local mode, started as `npm start -- --json` starts it, and what a caller does with it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Description } from '../../src/local/launch.ts';
import { trust } from '../../src/local/simulated/tls.ts';

import { endWalk } from './walked.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}
export interface Stack extends AsyncDisposable {
  readonly description: Description;
  /** Of the launcher; all the other processes are below it. */
  readonly pid: number;
  /** All that was written to standard error so far: the log lines. */
  log(): string;
  /** Takes the line of a process that a test started beside it. */
  alsoLog(line: string): void;
  /** A caller's Entra token, got as its description says. */
  callerToken(name: string, scope?: string): Promise<string>;
  /** `POST /oauth2/token`; members of `rest` replace those of a plain exchange, `undefined` takes one away. */
  exchange(
    subjectToken: string,
    target: string,
    rest?: Record<string, string | undefined>,
    broker?: string,
  ): Promise<Answer>;
  post(body: string, headers: Record<string, string>, broker?: string): Promise<Answer>;
  control(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** Until a first exchange succeeds: on a machine that is busy elsewhere, a cold start may cost more than a deadline. */
  warm(): Promise<void>;
}

/** @param checkout the folder with the product that is started */
export async function startStack(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  checkout: string = root,
): Promise<Stack> {
  const child = spawn(process.execPath, ['src/local/main.ts', '--json', '--port', '0', ...args], {
    cwd: checkout,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  let line = '';
  child.stderr.on('data', (text) => {
    log += text;
  });
  child.stdout.on('data', (text) => {
    line += text;
  });
  const exited = once(child, 'exit');
  while (!line.includes('\n'))
    await Promise.race([
      once(child.stdout, 'data'),
      exited.then(() => Promise.reject(new Error(`the local mode did not start:\n${log}`))),
    ]);
  const description = JSON.parse(line) as Description;
  trust(readFileSync(description.ca, 'utf8'));

  const post: Stack['post'] = async (body, headers, broker = description.broker) => {
    const response = await fetch(`${broker}/oauth2/token`, { method: 'POST', body, headers });
    const text = await response.text();
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {};
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: parsed as Record<string, unknown>,
    };
  };
  const stack: Stack = {
    description,
    pid: child.pid ?? 0,
    log: () => log,
    alsoLog: (line) => {
      log += `${line}\n`;
    },
    post,
    warm: async () => {
      const token = await stack.callerToken('captions');
      let status = 0;
      for (let left = 20; left > 0 && status !== 200; left -= 1) {
        ({ status } = await stack.exchange(token, 'speech'));
        if (status !== 200) await wait(500);
      }
      assert.equal(status, 200, log);
    },
    callerToken: async (name, scope = description.entra.scope) => {
      const caller = description.callers.find((one) => one.name === name);
      assert.ok(caller, name);
      const credential = caller.username
        ? { grant_type: 'password', username: caller.username, password: caller.password ?? '' }
        : { grant_type: 'client_credentials', client_secret: caller.clientSecret ?? '' };
      const response = await fetch(`${description.entra.authority}/${caller.tenantId}/oauth2/v2.0/token`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: caller.clientId, scope, ...credential }),
      });
      const { access_token } = (await response.json()) as { access_token?: string };
      assert.ok(access_token, `Entra gave ${name} no token: ${response.status}`);
      return access_token;
    },
    exchange: (subjectToken, target, rest = {}, broker = description.broker) => {
      const members = Object.entries({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: subjectToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: target,
        ...rest,
      }).filter((member): member is [string, string] => member[1] !== undefined);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return post(new URLSearchParams(members).toString(), headers, broker);
    },
    control: async (method, path, body) => {
      const response = await fetch(`${description.control}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
      return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    },
    [Symbol.asyncDispose]: async () => {
      try {
        // A test that has ended the local mode itself has nothing to ask any more.
        if (child.exitCode === null && child.signalCode === null && checkout === root)
          await endWalk(description);
      } finally {
        child.kill('SIGTERM');
        await exited;
      }
    },
  };
  return stack;
}

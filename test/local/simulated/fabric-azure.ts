/** A simulated Azure of the test's own, on its own clock, with somebody in the place of the queue that receives its events. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoWorld } from '../../../src/local/simulated/demo.ts';
import { type RunningAzure, startAzure } from '../../../src/local/simulated/start.ts';
import { trust } from '../../../src/local/simulated/tls.ts';

export interface Delivery {
  readonly url: string;
  readonly body: string;
}
export interface TestAzure {
  readonly azure: RunningAzure;
  /** What the receiver of events got, and what it answers. */
  readonly deliveries: Delivery[];
  answerEvents(status: number): void;
  advance(seconds: number): void;
  now(): number;
  /** Stops it and starts it again on the same data. */
  restart(): Promise<RunningAzure>;
  close(): Promise<void>;
}

export async function startTestAzure(): Promise<TestAzure> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'azure-'));
  const deliveries: Delivery[] = [];
  let status = 201;
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const [, text = ''] = /<MessageText>(.*)<\/MessageText>/.exec(body) ?? [];
      deliveries.push({ url: request.url ?? '', body: Buffer.from(text, 'base64').toString() });
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const start = async () => {
    const started = await startAzure({
      consoleUrls: () => ['http://127.0.0.1:7071/console'],
      world: demoWorld,
      ports: 'any',
      dataFolder,
      now,
      log: (line) => assert.fail(line),
      azurite: () => ({ tables: 'http://127.0.0.1:1', queues: `http://127.0.0.1:${port}`, blobs: '' }),
      clock: {
        state: () => ({ now: new Date(now()).toISOString(), speed: 1 }),
        advance: async (seconds) => {
          aheadMs += seconds * 1000;
        },
        setSpeed: async () => undefined,
        names: ['instance-1'],
        setOffset: async (name) => name === 'instance-1',
      },
    });
    trust(started.caPem);
    return started;
  };
  let azure = await start();
  return {
    get azure() {
      return azure;
    },
    deliveries,
    answerEvents: (next) => {
      status = next;
    },
    advance: (seconds) => {
      aheadMs += seconds * 1000;
    },
    now,
    async restart() {
      await azure.close();
      azure = await start();
      return azure;
    },
    async close() {
      await azure.close();
      receiver.closeAllConnections();
      receiver.close();
      await rm(dataFolder, { recursive: true });
    },
  };
}

export interface TokenAnswer {
  readonly status: number;
  readonly access_token: string;
  readonly expires_in: number;
  readonly error?: string;
  readonly error_codes?: readonly number[];
  readonly error_description?: string;
  readonly claims?: string;
  readonly suberror?: string;
  readonly id_token?: string;
  readonly client_info?: string;
}

/** Asks the token endpoint of a tenant. */
export async function askToken(
  azure: RunningAzure,
  form: Record<string, string>,
  tenant = azure.entra.tenantId,
): Promise<TokenAnswer> {
  const answer = await fetch(`${azure.entra.authority}/${tenant}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { ...((await answer.json()) as TokenAnswer), status: answer.status };
}

/** A caller's own token, the way its description says. */
export async function callerToken(
  azure: RunningAzure,
  name: string,
  scope = azure.entra.scope,
): Promise<string> {
  const caller = azure.callers.find((one) => one.name === name);
  assert.ok(caller, name);
  const form = caller.username
    ? { grant_type: 'password', username: caller.username, password: caller.password ?? '' }
    : { grant_type: 'client_credentials', client_secret: caller.clientSecret ?? '' };
  const answer = await askToken(azure, { client_id: caller.clientId, scope, ...form }, caller.tenantId);
  assert.equal(answer.status, 200, answer.error_description);
  return answer.access_token;
}

export async function identityToken(
  azure: RunningAzure,
  resource: string,
  selector: Record<string, string> = {},
): Promise<{ status: number; text: string; access_token: string; expires_on: string }> {
  const query = new URLSearchParams({ 'api-version': '2019-08-01', resource, ...selector });
  const app = selector['client_id'] === azure.rotatorIdentity ? 'rotator' : 'issuer';
  const headers = { 'x-identity-header': azure.identity.headers[app] };
  const answer = await fetch(`${azure.identity.endpoint}?${query}`, { headers });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    ...(JSON.parse(text) as { access_token: string; expires_on: string }),
  };
}

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

export function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

export async function control(
  azure: RunningAzure,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${azure.control}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** Waits in wall time until it holds; fails after ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 10) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`never: ${what}`);
}

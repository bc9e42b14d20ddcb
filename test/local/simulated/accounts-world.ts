/** The simulated accounts, ARM and vault over real TLS sockets, with people who say who they are. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, type AccountSpec, createAccounts } from '../../../src/local/simulated/accounts.ts';
import type { EventGridEvent } from '../../../src/local/simulated/accounts-events.ts';
import type { HostForm } from '../../../src/local/simulated/accounts-gateway.ts';
import { createAccountHost } from '../../../src/local/simulated/accounts-host.ts';
import { createArm } from '../../../src/local/simulated/arm.ts';
import { createFaults } from '../../../src/local/simulated/faults.ts';
import { createKeyVault, type KeyVault } from '../../../src/local/simulated/keyvault.ts';
import { accountSecret } from '../../../src/local/simulated/keyvault-seed.ts';
import { createRequestLog, type RequestEntry } from '../../../src/local/simulated/requests.ts';
import type { Authenticate, RoleAssignment } from '../../../src/local/simulated/roles.ts';
import { createServe, type Served } from '../../../src/local/simulated/service.ts';
import { createTls, trust } from '../../../src/local/simulated/tls.ts';

export const tenantId = '99999999-aaaa-4bbb-8ccc-dddddddddddd';
const group = '/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg-ai/providers';
export const vaultId = `${group}/Microsoft.KeyVault/vaults/kv-broker`;

function spec(name: string, kind: string): AccountSpec {
  return {
    name,
    kind,
    region: 'westeurope',
    accountId: `${group}/Microsoft.CognitiveServices/accounts/${name}`,
  };
}
const specs = [
  spec('speech', 'SpeechServices'),
  spec('translator', 'TextTranslation'),
  spec('chat', 'OpenAI'),
  spec('vision', 'ComputerVision'),
  spec('language', 'TextAnalytics'),
  spec('documents', 'FormRecognizer'),
];

const scopes = { ai: `${group}/Microsoft.CognitiveServices`, vault: vaultId };
const assignments: readonly RoleAssignment[] = [
  { principalId: 'rotator', role: 'AI token broker rotator', scope: scopes.ai },
  // The broker never reads an account itself, so its own role does not hold that; a person's does.
  { principalId: 'rotator', role: 'Cognitive Services OpenAI User', scope: scopes.ai },
  { principalId: 'rotator', role: 'AI token broker rotator', scope: scopes.vault },
  { principalId: 'issuer', role: 'Key Vault Secrets User', scope: scopes.vault },
  { principalId: 'admin', role: 'Key Vault Secrets Officer', scope: scopes.vault },
  { principalId: 'app', role: 'AI data user without keys', scope: scopes.ai },
  { principalId: 'user', role: 'Cognitive Services User', scope: scopes.ai },
  { principalId: 'speaker', role: 'Cognitive Services Speech User', scope: scopes.ai },
];

/** An Entra token of this world: nothing is signed, and all is told. */
export function tokenOf(who: string, audience: string): string {
  return `entra|${who}|${audience}`;
}
const authenticate: Authenticate = async (token, audiences) => {
  const [kind, who, audience] = token.split('|');
  if (kind !== 'entra' || !who || !audiences.includes(audience ?? '')) return undefined;
  return { tenantId, objectId: who, clientId: `client-of-${who}` };
};

export interface World {
  readonly folder: string;
  readonly vault: string;
  readonly arm: string;
  readonly events: EventGridEvent[];
  readonly keyVault: KeyVault;
  readonly accounts: ReturnType<typeof createAccounts>;
  host(name: string, form?: HostForm): string;
  account(name: string): Account;
  key(name: string, slot: 'Key1' | 'Key2'): string;
  requests(service: string): readonly RequestEntry[];
  advance(ms: number): void;
  /** Everything again from what was written, as after `kill -9`. */
  restart(): Promise<World>;
  close(): Promise<void>;
}

const tls = createTls();

export async function startWorld(kept?: { folder: string; nowMs: number }): Promise<World> {
  const folder = kept?.folder ?? (await mkdtemp(join(tmpdir(), 'azure-')));
  let nowMs = kept?.nowMs ?? Date.UTC(2026, 10, 22, 9);
  const now = () => nowMs;
  trust(tls.ca);
  const requests = createRequestLog();
  const serve = createServe({ tls, faults: createFaults(), requests, now, log: console.error });
  const events: EventGridEvent[] = [];
  const publish = (event: EventGridEvent) => void events.push(event);

  const accounts = createAccounts({ dataFolder: folder, specs, tenantId, now, armClock: now, publish });
  const hosts = new Map<string, Served>();
  for (const { name } of specs) {
    for (const form of ['custom', 'regional'] as const) {
      const host = createAccountHost({
        name,
        form,
        accounts,
        authenticate,
        assignments: () => assignments,
        now,
        tokenClock: now,
      });
      hosts.set(`${name} ${form}`, await serve({ ...host, port: 0 }));
    }
  }
  const host = (name: string, form: HostForm = 'custom') => hosts.get(`${name} ${form}`)?.url ?? '';
  const arm = await serve({
    ...createArm({ accounts, authenticate, assignments: () => assignments, endpointOf: host, now }),
    port: 0,
  });
  let vaultUrl = '';
  const account = (name: string) => {
    const found = accounts.find(name);
    if (!found) throw new Error(name);
    return found;
  };
  const keyVault = createKeyVault({
    dataFolder: folder,
    vaultId,
    authority: () => `https://localhost:1/${tenantId}`,
    url: () => vaultUrl,
    authenticate,
    assignments: () => assignments,
    now,
    publish,
    seed: new Map([['speech-key', accountSecret(accounts, account('speech'), nowMs)]]),
  });
  const vault = await serve({ ...keyVault, port: 0 });
  vaultUrl = vault.url;
  const stop = async () => {
    await Promise.all([...hosts.values(), arm, vault].map((served) => served.close()));
  };

  return {
    folder,
    vault: vault.url,
    arm: arm.url,
    events,
    keyVault,
    accounts,
    host,
    account,
    key: (name, slot) => accounts.currentKey(account(name), slot).value,
    requests: (service) => requests.after(0, service),
    advance(ms) {
      nowMs += ms;
    },
    async restart() {
      await stop();
      return startWorld({ folder, nowMs });
    },
    async close() {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a body whose shape the test asserts.
  readonly json: any;
}

export async function send(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, { method, headers, ...(text === undefined ? {} : { body: text }) });
  const answer = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(answer);
  } catch {
    json = undefined; // Not every answer is JSON.
  }
  return { status: response.status, headers: response.headers, text: answer, json };
}

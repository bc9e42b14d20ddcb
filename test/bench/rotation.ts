/**
 * One tick with nothing due, as it is every five minutes: the real machine and the real table adapter on
 * Azurite; accounts and vault answer from memory after the time Azure takes. The fleet is spread over
 * subscriptions, a hundred accounts in each; `inOneSubscription` shows what Azure's limits on one make of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLedger } from '../../src/azure/ledger.ts';
import { createPauses } from '../../src/azure/pause-table.ts';
import { createPlanWriter } from '../../src/azure/plan-table.ts';
import { createPublishedRows, createRotationStore } from '../../src/azure/rotation-store.ts';
import type { Resource } from '../../src/policy/schema.ts';
import { createPace } from '../../src/rotation/pace.ts';
import { createRotation } from '../../src/rotation/rotate.ts';
import { Secret } from '../../src/secret.ts';
import { startAzurite } from '../azure/azurite.ts';
import type { BenchOptions } from './options.ts';

const ARM_MS = 60;
const VAULT_MS = 20;

export async function rotationBench({ quick }: BenchOptions): Promise<Record<string, unknown>> {
  const hundred = await tickOver(100, 1);
  if (quick) return { ...hundred };
  const thousand = await tickOver(1000, 10);
  const inOneSubscription = await tickOver(300, 1);
  return { ...thousand, hundred, inOneSubscription, tenThousand: await tickOver(10_000, 100) };
}

interface Figures {
  resources: number;
  seconds: number;
  calls: number;
  armCalls: number;
  vaultCalls: number;
  tableCalls: number;
  heapMb: number;
}

async function tickOver(count: number, subscriptions: number): Promise<Figures> {
  await using azurite = await startAzurite();
  const calls = { arm: 0, vault: 0, tables: 0 };
  const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const keysOf = (accountId: string) => ({
    Key1: new Secret(`${accountId} 1`),
    Key2: new Secret(`${accountId} 2`),
  });
  const resources = Array.from({ length: count }, (_, number) => resourceOf(number, number % subscriptions));
  const accountOf = new Map(resources.map(({ secret, accountId }) => [secret, accountId]));

  const tables: typeof azurite.tables = (name) => {
    calls.tables += 1;
    return azurite.tables(name);
  };
  const ports = {
    accounts: {
      listKeys: async (accountId: string) => {
        calls.arm += 1;
        await after(ARM_MS);
        return keysOf(accountId);
      },
      regenerate: () => Promise.reject(new Error('nothing is due')),
    },
    vault: {
      current: async (secret: string) => {
        calls.vault += 1;
        await after(VAULT_MS);
        const account = accountOf.get(secret) ?? '';
        const value = keysOf(account).Key1;
        const tags = { account, slot: 'Key1', fingerprint: value.sha256.slice(0, 16) };
        return { version: 'one', enabled: true, createdAtMs: 0, expiresAtMs: undefined, tags, value };
      },
      read: () => Promise.reject(new Error('nothing is due')),
      write: () => Promise.reject(new Error('nothing is due')),
      versions: () => Promise.reject(new Error('nothing is due')),
      disable: () => Promise.reject(new Error('nothing is due')),
    },
    proof: { covers: () => true, accepts: () => Promise.reject(new Error('nothing is due')) },
    store: createRotationStore(tables),
    published: createPublishedRows(tables),
    plans: createPlanWriter(tables),
    pauses: createPauses(tables),
    ledger: createLedger(azurite.tables),
    head: { bump: async () => undefined },
    clock: Date.now,
    elapsedMs: () => performance.now(),
    within: <T>(_step: string | undefined, _resource: string, work: () => Promise<T>) => work(),
    log: () => undefined,
  };
  // The first tick adopts them all, at no pace.
  const adopted = await createRotation(ports, resources, 'bench', async () => undefined).tick();
  if (adopted.steps.length !== count) throw new Error(`only ${adopted.steps.length} were adopted`);

  calls.arm = calls.vault = calls.tables = 0;
  const rotation = createRotation(
    ports,
    resources,
    'bench',
    createPace(() => performance.now(), sleep),
  );
  const heapBefore = process.memoryUsage().heapUsed;
  let heapMost = heapBefore;
  const watch = setInterval(() => {
    heapMost = Math.max(heapMost, process.memoryUsage().heapUsed);
  }, 20);
  const startedAt = performance.now();
  const report = await rotation.tick();
  const seconds = (performance.now() - startedAt) / 1000;
  clearInterval(watch);
  if (report.waiting !== count) throw new Error(`something was due: ${JSON.stringify(report)}`);
  return {
    resources: count,
    seconds: Math.round(seconds * 100) / 100,
    calls: calls.arm + calls.vault + calls.tables,
    armCalls: calls.arm,
    vaultCalls: calls.vault,
    tableCalls: calls.tables,
    heapMb: Math.round((heapMost - heapBefore) / 1_048_576),
  };
}

function resourceOf(number: number, subscription: number): Resource {
  const id = String(subscription).padStart(12, '0');
  return {
    name: `speech-${number}`,
    accountId: `/subscriptions/00000000-0000-0000-0000-${id}/resourceGroups/bench/providers/Microsoft.CognitiveServices/accounts/speech-${number}`,
    kind: 'SpeechServices',
    region: 'westeurope',
    endpoint: 'https://bench.invalid',
    tokenKinds: ['sts'],
    identity: { kind: 'application' },
    scope: 'https://cognitiveservices.azure.com/.default',
    secret: `speech-${number}-key`,
    rotation: { period: 30 * 86_400_000, mode: 'full', paused: false, consumers: [] },
  };
}

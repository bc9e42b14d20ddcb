/**
 * What many revocations cost: exchanges at a steady rate while nothing is revoked, and while every second somebody is.
 * The entries are in the tables before the broker starts, so that it has loaded all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTables, type Tables } from '../../src/azure/tables.ts';
import { deliver, ownEvent } from '../local/local-mode.ts';
import { DISTINCT_CALLERS, hundredths, load, type Rate } from './load.ts';
import type { BenchOptions } from './options.ts';
import { residentMiB, type Stack, startStack } from './stack.ts';

const PER_SECOND = 200;
/** A transaction of the tables takes so many rows. */
const AT_ONCE = 100;
const PARTITION = 'revocation';

interface Held {
  readonly entries: number;
  readonly firstMs: number;
  readonly quiet: Rate;
  readonly changing: Rate;
  readonly p99OfQuiet: number;
  readonly rssMb: number;
}

export async function revocationsHeldBench({ quick, seconds }: BenchOptions): Promise<Record<string, Held>> {
  const found: Record<string, Held> = {};
  for (const entries of quick ? [10, 1_000] : [10, 10_000, 100_000])
    found[entries] = await held(entries, quick ? 3 : seconds * 10);
  return found;
}

async function held(entries: number, seconds: number): Promise<Held> {
  const data = mkdtempSync(join(tmpdir(), 'revocations-'));
  try {
    await seed(data, entries);
    await using stack = await startStack({ args: ['--data', data] });
    const target = await stack.target({ caller: 'captions', resource: 'speech', callers: DISTINCT_CALLERS });
    const first = await load(target, { connections: 1, length: { requests: 1 } });
    await load(target, { connections: 32, length: { requests: 5_000 } });
    const steady = { connections: 64, length: { seconds }, perSecond: PER_SECOND };
    const quiet = await load(target, steady);
    const revoking = setInterval(() => void revoke(stack), 1_000);
    const changing = await load(target, steady).finally(() => clearInterval(revoking));
    return {
      entries,
      firstMs: first.p50Ms,
      quiet,
      changing,
      p99OfQuiet: hundredths(changing.p99Ms / quiet.p99Ms),
      rssMb: residentMiB(target.pid),
    };
  } finally {
    rmSync(data, { recursive: true });
  }
}

async function revoke({ description }: Stack): Promise<void> {
  const scope = { kind: 'user', tenantId: description.entra.tenantId, objectId: crypto.randomUUID() };
  const status = await deliver(description.broker, [
    ownEvent('RevocationRequested', { scope, reason: 'bench' }),
  ]);
  if (status !== 202) throw new Error(`a revocation was answered ${status}`);
}

/** One entry is made by the broker; the others are its copies, for other users. */
async function seed(data: string, entries: number): Promise<void> {
  await using stack = await startStack({ args: ['--data', data] });
  const { tables: url, entra } = stack.description;
  await revoke(stack);
  const table = await tableOf(url)('state');
  const filter = `PartitionKey eq '${PARTITION}'`;
  const first = await table.listEntities({ queryOptions: { filter } }).next();
  if (first.done === true) throw new Error('the revocation left no row');
  const { etag: _, timestamp: __, ...row } = first.value;
  for (let from = 0; from < entries; from += AT_ONCE)
    await table.submitTransaction(
      Array.from({ length: Math.min(AT_ONCE, entries - from) }, () => {
        const objectId = crypto.randomUUID();
        const scope = { kind: 'user', tenantId: entra.tenantId, objectId };
        const copy = { ...row, partitionKey: PARTITION, rowKey: `user:${entra.tenantId}:${objectId}` };
        return ['create', { ...copy, scope: JSON.stringify(scope) }];
      }),
    );
}

const tableOf = (url: string): Tables =>
  createTables(url, { getToken: () => Promise.reject(new Error('over plain http there is no token')) });

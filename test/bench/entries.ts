/**
 * What revocations cost an instance by their number: the first load, the memory of each, and a look at the shared state
 * while nothing changes, while one is added every second, and right after such a change.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { createRevocationReader } from '../../src/azure/revocation-reader.ts';
import { toEntryRow } from '../../src/azure/revocation-rows.ts';
import { createRevocationTable } from '../../src/azure/revocation-store.ts';
import { createRows } from '../../src/azure/rows.ts';
import { createState } from '../../src/azure/state.ts';
import { createTables, type Tables } from '../../src/azure/tables.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { compileVersion } from '../../src/policy/version.ts';
import { raise } from '../../src/revocation/entry.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { samplePolicy } from '../policy/sample.ts';
import type { BenchOptions } from './options.ts';
import type { Copies } from './tables-worker.ts';

const SIZES = [10, 10_000, 100_000];
const SECONDS = 10;

export interface EntriesBench {
  readonly firstLoadMs: number;
  /** Processor time of this thread, here and below. */
  readonly firstLoadCpuMs: number;
  readonly bytesPerEntry: number;
  readonly quietP99Ms: number;
  readonly changingP99Ms: number;
  /** The look that finds the change: medians. */
  readonly afterChangeMs: number;
  readonly afterChangeCpuMs: number;
}

export async function entriesBench({ quick }: BenchOptions): Promise<Record<string, EntriesBench>> {
  const sizes = quick ? SIZES.slice(0, 1) : SIZES;
  const seconds = quick ? 2 : SECONDS;
  const worker = new Worker(new URL('./tables-worker.ts', import.meta.url));
  try {
    const [url] = (await once(worker, 'message')) as [string];
    const noToken = () => Promise.reject(new Error('on loopback no token is asked for'));
    const tables = createTables(url, { getToken: noToken });
    const figures: Record<string, EntriesBench> = {};
    let have = 0;
    for (const size of sizes) {
      await fill(worker, tables, have, size);
      have = size;
      figures[size] = await measure(tables, url, size, seconds);
    }
    return figures;
  } finally {
    await worker.terminate();
  }
}

const changeOf = (person: string) => ({
  scope: {
    kind: 'user' as const,
    tenantId: '99999999-aaaa-4bbb-8ccc-dddddddddddd',
    objectId: person,
  },
  cutOffSeconds: Math.ceil(Date.now() / 1000),
  blockCause: undefined,
  reason: 'the device was lost',
  source: 'event 0f9b4fd5',
  receivedAtMs: Date.now(),
});

/** The first by the adapter's own row, the others as copies of it. */
async function fill(worker: Worker, tables: Tables, from: number, to: number): Promise<void> {
  const [first = '', ...others] = Array.from({ length: to - from }, (_, index) => objectId(from + index));
  const entry = raise(undefined, changeOf(first));
  const row = toEntryRow(scopeKey(entry.scope), entry, 0);
  await (await tables('state')).createEntity(row);
  const copies: Copies = { PartitionKey: row.partitionKey, RowKey: row.rowKey, text: first, by: others };
  worker.postMessage(copies);
  await once(worker, 'message');
}
const objectId = (number: number) => `11111111-2222-4333-8444-${String(number).padStart(12, '0')}`;

async function measure(tables: Tables, url: string, size: number, seconds: number): Promise<EntriesBench> {
  const rules = compileVersion(JSON.stringify(samplePolicy()));
  const rows = createRows(url, () => Promise.reject(new Error('no token')), Date.now);
  const state = createState(tables, rows, createRevocationReader(tables, Date.now));
  const freshness = createFreshness(state, async () => rules, Date.now, 0);
  const table = createRevocationTable(tables);
  const before = heapBytes();
  const first = await timedWithCpu(freshness.fresh);
  const bytesPerEntry = Math.round((heapBytes() - before) / size);
  const look = async (): Promise<number> => {
    const tookMs = await timed(freshness.fresh);
    await sleep(1);
    return tookMs;
  };
  const quiet = await looksFor(seconds, look);
  const afterMs: number[] = [];
  const afterCpuMs: number[] = [];
  let isOver = false;
  const changing = (async () => {
    while (!isOver) {
      const change = changeOf(crypto.randomUUID());
      await table.update(scopeKey(change.scope), (current) => raise(current, change));
      await state.bump();
      await sleep(1_000);
    }
  })();
  const busy = await looksFor(seconds, look);
  isOver = true;
  await changing;
  for (let number = 0; number < 20; number += 1) {
    const change = changeOf(crypto.randomUUID());
    await table.update(scopeKey(change.scope), (current) => raise(current, change));
    await state.bump();
    const { tookMs, cpuMs } = await timedWithCpu(freshness.fresh);
    afterMs.push(tookMs);
    afterCpuMs.push(cpuMs);
  }
  return {
    firstLoadMs: Math.round(first.tookMs),
    firstLoadCpuMs: Math.round(first.cpuMs),
    bytesPerEntry,
    quietP99Ms: at(quiet, 0.99),
    changingP99Ms: at(busy, 0.99),
    afterChangeMs: at(afterMs, 0.5),
    afterChangeCpuMs: at(afterCpuMs, 0.5),
  };
}

async function looksFor(seconds: number, look: () => Promise<number>): Promise<number[]> {
  const untilMs = performance.now() + seconds * 1000;
  const took: number[] = [];
  while (performance.now() < untilMs) took.push(await look());
  return took;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}

async function timedWithCpu(run: () => Promise<unknown>): Promise<{ tookMs: number; cpuMs: number }> {
  const before = process.threadCpuUsage();
  const tookMs = await timed(run);
  const { user, system } = process.threadCpuUsage(before);
  return { tookMs, cpuMs: (user + system) / 1000 };
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 100) / 100;
}

function heapBytes(): number {
  setFlagsFromString('--expose_gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

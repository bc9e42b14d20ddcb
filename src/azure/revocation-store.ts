import type { TableClient } from '@azure/data-tables';
import type { Entry } from '../revocation/entry.ts';
import type { RevocationTable } from '../revocation/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { unless } from './table-status.ts';

const PARTITION = 'revocation';
/** Rounds of read and conditional write before a contended row counts as an outage. */
const MOST_ROUNDS = 20;
const MOST_PAUSE_MS = 50;

/** A row of table `state`. SharedState.load() reads `scope`, `cutOffSeconds` and `blocked` of it. */
interface Row {
  scope: string;
  /** A double holds whole seconds beyond 2038; the table's 32-bit integer does not. */
  cutOffSeconds: number;
  blocked: boolean;
  blocks: string;
  lifted: string;
  reason: string;
  source: string;
  receivedAtMs: number;
}

/** The revocations in table `state`. */
export function createRevocationTable(client: () => Promise<TableClient>): RevocationTable {
  async function read(key: string): Promise<{ etag: string; entry: Entry } | undefined> {
    const row = await call('tables', 'GetEntity state', async (abortSignal) => {
      const table = await client();
      return table.getEntity<Row>(PARTITION, key, { abortSignal }).catch(unless(404));
    });
    return row && { etag: row.etag, entry: toEntry(row) };
  }

  /** False when somebody else was first. A lost answer shows as that too: the next round reads what it did. */
  async function write(key: string, entry: Entry, etag: string | undefined): Promise<boolean> {
    const row = { partitionKey: PARTITION, rowKey: key, ...toRow(entry) };
    const done = await call('tables', 'WriteEntity state', async (abortSignal) => {
      const table = await client();
      return etag === undefined
        ? table.createEntity(row, { abortSignal }).catch(unless(409))
        : table.updateEntity(row, 'Replace', { etag, abortSignal }).catch(unless(412, 404));
    });
    return done !== undefined;
  }

  return {
    async update(key, change) {
      for (let round = 1; round <= MOST_ROUNDS; round += 1) {
        const current = await read(key);
        const next = change(current?.entry);
        if (next === undefined || next === current?.entry) return current?.entry;
        if (await write(key, next, current?.etag)) return next;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * MOST_PAUSE_MS));
      }
      throw new UpstreamFailure('tables', 'WriteEntity state: too many writers of one row');
    },

    list: () =>
      call(
        'tables',
        'QueryEntities state',
        async (abortSignal) => {
          const entries: Entry[] = [];
          const table = await client();
          const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
          for await (const row of table.listEntities<Row>({ queryOptions, abortSignal }))
            entries.push(toEntry(row));
          return entries;
        },
        { deadlineMs: 10_000 },
      ),

    async remove(key, isGone) {
      const current = await read(key);
      if (current === undefined || !isGone(current.entry)) return;
      await call('tables', 'DeleteEntity state', async (abortSignal) => {
        const table = await client();
        await table.deleteEntity(PARTITION, key, { etag: current.etag, abortSignal }).catch(unless(404, 412));
      });
    },
  };
}

function toRow(entry: Entry): Omit<Row, 'cutOffSeconds' | 'receivedAtMs'> & Record<string, unknown> {
  return {
    scope: JSON.stringify(entry.scope),
    cutOffSeconds: { type: 'Double', value: entry.cutOffSeconds },
    blocked: entry.blocked,
    blocks: JSON.stringify(entry.blocks),
    lifted: JSON.stringify(entry.lifted),
    reason: entry.reason,
    source: entry.source,
    receivedAtMs: { type: 'Double', value: entry.receivedAtMs },
  };
}

function toEntry(row: Row): Entry {
  return {
    scope: JSON.parse(row.scope),
    cutOffSeconds: Number(row.cutOffSeconds),
    blocked: row.blocked,
    blocks: JSON.parse(row.blocks),
    lifted: JSON.parse(row.lifted),
    reason: row.reason,
    source: row.source,
    receivedAtMs: Number(row.receivedAtMs),
  };
}

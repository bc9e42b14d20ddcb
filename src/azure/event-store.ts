import type { TableClient } from '@azure/data-tables';
import type { EventKind, EventRecord, EventStore } from '../revocation/ports.ts';
import { call } from './call.ts';
import { unless } from './table-status.ts';

interface Row {
  /** The record, JSON text. */
  record: string;
  keepUntilMs: number;
}

/** What was received, in table `events`: partition the kind, row the key. */
export function createEventStore(client: () => Promise<TableClient>): EventStore {
  const toRow = (kind: EventKind, key: string, record: EventRecord, keepUntilMs: number) => ({
    partitionKey: kind,
    rowKey: key,
    record: JSON.stringify(record),
    keepUntilMs: { type: 'Double', value: keepUntilMs },
  });

  const find: EventStore['find'] = async (kind, key) => {
    const row = await call('tables', 'GetEntity events', async (abortSignal) => {
      const table = await client();
      return table.getEntity<Row>(kind, key, { abortSignal }).catch(unless(404));
    });
    return row && JSON.parse(row.record);
  };

  return {
    find,

    async keepFirst(kind, key, record, keepUntilMs) {
      const created = await call('tables', 'InsertEntity events', async (abortSignal) => {
        const table = await client();
        return table.createEntity(toRow(kind, key, record, keepUntilMs), { abortSignal }).catch(unless(409));
      });
      if (created !== undefined) return record;
      // Removed between the two calls only by the sweep, long after anyone may ask for it again.
      return (await find(kind, key)) ?? record;
    },

    async replace(kind, key, record, keepUntilMs) {
      await call('tables', 'UpsertEntity events', async (abortSignal) => {
        const table = await client();
        await table.upsertEntity(toRow(kind, key, record, keepUntilMs), 'Replace', { abortSignal });
      });
    },

    list: (kind, fromKey, most) =>
      call(
        'tables',
        'QueryEntities events',
        async (abortSignal) => {
          const records: EventRecord[] = [];
          const table = await client();
          const queryOptions = { filter: `PartitionKey eq '${kind}' and RowKey ge '${fromKey}'` };
          for await (const row of table.listEntities<Row>({ queryOptions, abortSignal })) {
            if (records.length >= most) break;
            records.push(JSON.parse(row.record));
          }
          return records;
        },
        { deadlineMs: 10_000 },
      ),

    async sweep(nowMs) {
      const gone = await call(
        'tables',
        'QueryEntities events',
        async (abortSignal) => {
          const rows: { partitionKey: string; rowKey: string }[] = [];
          const table = await client();
          const queryOptions = { filter: `keepUntilMs lt ${nowMs}.0`, select: ['PartitionKey', 'RowKey'] };
          for await (const row of table.listEntities({ queryOptions, abortSignal }))
            rows.push({ partitionKey: String(row.partitionKey), rowKey: String(row.rowKey) });
          return rows;
        },
        { deadlineMs: 10_000 },
      );
      for (const { partitionKey, rowKey } of gone)
        await call('tables', 'DeleteEntity events', async (abortSignal) => {
          const table = await client();
          await table.deleteEntity(partitionKey, rowKey, { abortSignal }).catch(unless(404));
        });
    },
  };
}

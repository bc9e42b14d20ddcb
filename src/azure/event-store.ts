/** The records of events and signals and of their effects, in table `events`: partition the kind, row the key. */
import * as z from 'zod';
import type { EventKind, EventRecord, EventStore } from '../revocation/ports.ts';
import { call } from './call.ts';
import type { Rows } from './rows.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

const rowShape = z.object({
  record: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.record(z.string(), z.string())),
});

/** Whether a leaked key is on record as handled. It is asked several times for each report, so by the cheap read. */
export function createIsHandled(rows: Rows): (key: string) => Promise<boolean> {
  return (key) =>
    call(
      'tables',
      'find event',
      async (signal) => (await rows.etag('events', 'handled', key, signal)) !== undefined,
    );
}

export function createEventStore(tables: Tables): EventStore {
  const find: EventStore['find'] = (kind, key) =>
    call('tables', 'find event', async (abortSignal) => {
      const table = await tables('events');
      try {
        return rowShape.parse(await table.getEntity(kind, key, { abortSignal })).record;
      } catch (error) {
        if (isNoSuchEntity(error)) return undefined;
        throw error;
      }
    });

  return {
    find,

    async keepFirst(kind, key, record, keepUntilMs) {
      const created = await call('tables', 'keep event', async (abortSignal) => {
        const table = await tables('events');
        return table.createEntity(toRow(kind, key, record, keepUntilMs), { abortSignal }).catch(unless(409));
      });
      if (created !== undefined) return record;
      // If the row is gone, the sweep removed it between the two calls, because its time to be kept was over.
      return (await find(kind, key)) ?? record;
    },

    replace: (kind, key, record, keepUntilMs) =>
      call('tables', 'replace event', async (abortSignal) => {
        const table = await tables('events');
        await table.upsertEntity(toRow(kind, key, record, keepUntilMs), 'Replace', { abortSignal });
      }),

    list: (kind, fromKey, most) =>
      call('tables', 'list events', async (abortSignal) => {
        const table = await tables('events');
        const records: EventRecord[] = [];
        const queryOptions = { filter: `PartitionKey eq '${kind}' and RowKey ge '${fromKey}'` };
        for await (const row of table.listEntities({ queryOptions, abortSignal })) {
          if (records.length >= most) break;
          records.push(rowShape.parse(row).record);
        }
        return records;
      }),

    sweep: (nowMs) =>
      call(
        'tables',
        'sweep events',
        async (abortSignal) => {
          const table = await tables('events');
          const queryOptions = {
            filter: `keepUntilMs lt ${Math.floor(nowMs)}.0`,
            select: ['PartitionKey', 'RowKey'],
          };
          for await (const { partitionKey, rowKey } of table.listEntities({ queryOptions, abortSignal }))
            await table
              .deleteEntity(String(partitionKey), String(rowKey), { abortSignal })
              .catch(unless(404));
        },
        // The next sweep removes what this one did not reach.
        { deadlineMs: 30_000, attempts: 1 },
      ),
  };
}

function toRow(kind: EventKind, key: string, record: EventRecord, keepUntilMs: number) {
  return {
    partitionKey: kind,
    rowKey: key,
    record: JSON.stringify(record),
    keepUntilMs: { type: 'Double', value: keepUntilMs },
  };
}

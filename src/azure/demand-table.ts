/** The demands, in table `demands`: one partition, and the demand's id as the row's key. */
import type { TableEntityResult } from '@azure/data-tables';
import * as z from 'zod';
import {
  type Demand,
  type DemandBook,
  type DemandStore,
  demandShape,
  isFollowed,
  type StoredDemand,
} from '../demand/demand.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { json } from './rotation-row.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import { int64, type Tables } from './tables.ts';

const PARTITION = 'demand';

const rowShape = z.object({
  etag: z.string(),
  takenAtMs: z.coerce.number(),
  demand: json(demandShape),
  // Beside the demand, of which an older version of the rotator app knows every member.
  account: z.string().optional(),
});

/** For the issuer app, which inserts and reads. */
export function createDemandBook(tables: Tables): DemandBook {
  return {
    insert: (demand, account) =>
      call('tables', 'insert demand', async (abortSignal) => {
        const table = await tables('demands');
        // A repeated call after a lost answer finds the row that the first one made.
        await table.createEntity(toRow(demand, 0, account), { abortSignal }).catch(unless(409));
      }),
    find: (id) => find(tables, id),
  };
}

/** For the rotator app, which writes. */
export function createDemandStore(tables: Tables): DemandStore {
  return {
    find: (id) => find(tables, id),
    open: () =>
      call('tables', 'list demands', async (abortSignal) => {
        const table = await tables('demands');
        const filter = `PartitionKey eq '${PARTITION}' and open eq true`;
        const found: StoredDemand[] = [];
        for await (const entity of table.listEntities({ queryOptions: { filter }, abortSignal })) {
          const demand = read(entity);
          // A row that somebody edited must not hold up the others.
          if (demand !== undefined) found.push(demand);
        }
        return found.toSorted((one, other) => (one.at < other.at ? -1 : 1));
      }),
    // One attempt only: after a lost answer a second one would take the first one's ETag for another rotator's.
    write: (demand) =>
      call(
        'tables',
        'write demand',
        async (abortSignal) => {
          const { etag, takenAtMs, account, ...rest } = demand;
          const table = await tables('demands');
          const done = await table
            .updateEntity(toRow(rest, takenAtMs, account), 'Replace', { etag, abortSignal })
            .catch(unless(404, 412));
          if (done === undefined) return 'moved';
          if (done.etag === undefined)
            throw new UpstreamFailure('tables', 'write demand: no ETag in the answer');
          return { ...demand, etag: done.etag };
        },
        { attempts: 1 },
      ),
    sweep: (beforeMs) =>
      call(
        'tables',
        'sweep demands',
        async (abortSignal) => {
          const table = await tables('demands');
          const filter = `PartitionKey eq '${PARTITION}' and open eq false and atMs lt ${Math.floor(beforeMs)}L`;
          const queryOptions = { filter, select: ['RowKey'] };
          for await (const { rowKey } of table.listEntities({ queryOptions, abortSignal }))
            await table.deleteEntity(PARTITION, String(rowKey), { abortSignal }).catch(unless(404));
        },
        // The next sweep removes what this one did not reach.
        { deadlineMs: 30_000, attempts: 1 },
      ),
  };
}

function find(tables: Tables, id: string) {
  return call('tables', 'find demand', async (abortSignal) => {
    const table = await tables('demands');
    try {
      const demand = read(await table.getEntity(PARTITION, id, { abortSignal }));
      if (demand === undefined) throw new UpstreamFailure('tables', 'a demand cannot be read');
      return demand;
    } catch (error) {
      if (isNoSuchEntity(error)) return undefined;
      throw error;
    }
  });
}

/** undefined: somebody edited the row. */
function read(entity: TableEntityResult<Record<string, unknown>>): StoredDemand | undefined {
  const row = rowShape.safeParse(entity).data;
  return row?.demand && { ...row.demand, etag: row.etag, takenAtMs: row.takenAtMs, account: row.account };
}

function toRow(demand: Demand, takenAtMs: number, account: string | undefined) {
  return {
    partitionKey: PARTITION,
    rowKey: demand.id,
    demand: JSON.stringify(demand),
    open: isFollowed(demand),
    atMs: int64(Date.parse(demand.at)),
    takenAtMs: int64(takenAtMs),
    ...(account !== undefined && { account }),
  };
}

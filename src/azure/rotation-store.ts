/**
 * The rotation's rows: the machine's in table `rotation`, those that exchanges read in table `state`, both in partition
 * `rotation` with one row per account; and its history in table `history` (one partition per account). Exchanges read
 * `generation`, `retiring`, `epoch`, `active`, `secret` and `secretVersion` (state.ts).
 */
import type { TableEntity } from '@azure/data-tables';
import type { PublishedRows, RotationStore, Written } from '../rotation/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import {
  fromEntity,
  fromPublishedEntity,
  newestFirst,
  ROTATION_PARTITION,
  toEntity,
  toPublishedEntity,
} from './rotation-row.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

export function createRotationStore(tables: Tables): RotationStore {
  const { all, read, write } = rowsOf(tables, 'rotation', fromEntity);
  return {
    all,
    read,
    write: (row) => write(toEntity(row), row.etag),
    record: ({ account, ...entry }) =>
      call('tables', 'record rotation', async (abortSignal) => {
        const table = await tables('history');
        await table.upsertEntity(
          { partitionKey: account, rowKey: newestFirst(entry.fence), entry: JSON.stringify(entry) },
          'Replace',
          { abortSignal },
        );
      }),
  };
}

export function createPublishedRows(tables: Tables): PublishedRows {
  const { all, read, write } = rowsOf(tables, 'state', fromPublishedEntity);
  return {
    all,
    read,
    write: (row) => write(toPublishedEntity(row), row.etag),
    repair: async (row) => {
      const etag = await call('tables', 'read rotation', async (abortSignal) => {
        const table = await tables('state');
        const entity = await table.getEntity(ROTATION_PARTITION, row.account, { abortSignal });
        return fromPublishedEntity(entity) === 'unreadable' ? entity.etag : undefined;
      });
      return etag === undefined ? 'moved' : write(toPublishedEntity(row), etag);
    },
    remove: (account) =>
      call('tables', 'remove rotation', async (abortSignal) => {
        const table = await tables('state');
        await table.deleteEntity(ROTATION_PARTITION, account, { abortSignal }).catch(unless(404));
      }),
  };
}

function rowsOf<Row>(
  tables: Tables,
  name: 'rotation' | 'state',
  fromRow: (entity: object) => Row | 'unreadable',
) {
  return {
    all: () =>
      call(
        'tables',
        'read rotation',
        async (abortSignal) => {
          const table = await tables(name);
          const found = new Map<string, Row | 'unreadable'>();
          const queryOptions = { filter: `PartitionKey eq '${ROTATION_PARTITION}'` };
          for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
            found.set(String(entity.rowKey), fromRow(entity));
          }
          return found;
        },
        { deadlineMs: 10_000 },
      ),
    read: (account: string) =>
      call('tables', 'read rotation', async (abortSignal) => {
        const table = await tables(name);
        try {
          return fromRow(await table.getEntity(ROTATION_PARTITION, account, { abortSignal }));
        } catch (error) {
          if (isNoSuchEntity(error)) return undefined;
          throw error;
        }
      }),
    // One attempt only: after a lost answer a second one would take the first one's ETag for another driver's.
    write: (entity: TableEntity, etag: string | undefined): Promise<Written | 'moved'> =>
      call(
        'tables',
        'write rotation',
        async (abortSignal) => {
          const table = await tables(name);
          const done =
            etag === undefined
              ? await table.createEntity(entity, { abortSignal }).catch(unless(409))
              : await table.updateEntity(entity, 'Replace', { etag, abortSignal }).catch(unless(404, 412));
          if (done === undefined) return 'moved';
          if (done.etag === undefined)
            throw new UpstreamFailure('tables', 'write rotation: no ETag in the answer');
          return { etag: done.etag };
        },
        { attempts: 1 },
      ),
  };
}

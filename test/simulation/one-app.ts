/**
 * What the rotation of the version with one app has in place of the two tables: the same machine, on the rows that
 * exchanges read, under the same lease. It knows no copies and no marks, and it cannot read a row that was moved.
 */
import type { PublishedRows, RotationStore } from '../../src/rotation/ports.ts';
import { type PublishedRow, type StoredRow, UNMARKED } from '../../src/rotation/state.ts';
import type { Way } from './azure.ts';
import type { Cloud } from './cloud.ts';

export function oneAppOver(
  { cloud, wire, process }: Way,
  store: RotationStore,
  onRow: (row: PublishedRow) => void,
): { readonly store: RotationStore; readonly published: PublishedRows } {
  return {
    store: {
      ...store,
      all: () => wire.call(process, 'tables', 'read rows', () => allOf(cloud, (row) => row)),
      read: (account) => wire.call(process, 'tables', 'read row', () => seen(cloud.published.get(account))),
      write: (row) =>
        wire.call(
          process,
          'tables',
          'write row',
          () => {
            const old = { ...row, marks: UNMARKED, moved: false };
            const written = cloud.write(cloud.published, old.account, old);
            if (written !== 'moved') onRow(old);
            return written;
          },
          true,
        ),
    },
    // Its row is its own copy, so it never has to write one; the head is bumped all the same.
    published: {
      all: async () => allOf(cloud, asCopy),
      read: async (account) => asCopy(seen(cloud.published.get(account))),
      write: async () => ({ etag: 'nothing is copied' }),
      repair: async () => 'moved',
      remove: async () => undefined,
    },
  };
}

type Seen<Row> = Row | 'unreadable' | undefined;

function seen(row: PublishedRow | undefined): Seen<StoredRow> {
  return row?.moved ? 'unreadable' : row;
}

function asCopy(row: Seen<StoredRow>): Seen<PublishedRow> {
  return typeof row === 'object' ? { ...row, marks: UNMARKED, moved: true } : row;
}

function allOf<Row>(cloud: Cloud, as: (row: Seen<StoredRow>) => Seen<Row>): Map<string, Row | 'unreadable'> {
  return new Map(
    [...cloud.published].map(([account, row]) => [account, as(seen(row)) ?? ('unreadable' as const)]),
  );
}

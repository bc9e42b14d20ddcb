/** The rows of table `audit` as they are stored, for closing and verifying; audit-table.ts reads their records. */
import { each } from '../each.ts';
import type { AuditRow, AuditRowReader, AuditRows } from '../record/ports.ts';
import { call } from './call.ts';
import { joined } from './chunks.ts';
import { pagesOf, type StoredRow } from './pages.ts';
import { unless } from './table-status.ts';
import type { Tables } from './tables.ts';

/** A PartitionKey is the second, `2026-11-26T01:20:00`, and so begins with its minute. */
const SECOND = 19;
const MINUTE = 16;
/** A partition takes 2,000 calls a second; the rows of a minute are in sixty. */
const REMOVED_AT_ONCE = 16;

export function createAuditRowReader(tables: Tables): AuditRowReader {
  const pages = (first: string, last: string, select?: string[]) =>
    pagesOf(tables, 'audit', 'read audit rows', {
      // A colon and the second follow the minute; a tilde comes after both.
      filter: `PartitionKey ge '${first}' and PartitionKey lt '${last}~'`,
      ...(select === undefined ? {} : { select }),
    });
  return {
    async *rows(first, last) {
      for await (const page of pages(first, last)) yield* page.map(asRow);
    },
    async keys(first, last) {
      const keys: string[] = [];
      for await (const page of pages(first, last, ['PartitionKey', 'RowKey'])) keys.push(...page.map(keyOf));
      return keys;
    },
    async earliest() {
      const queryOptions = { select: ['PartitionKey', 'RowKey'] };
      for await (const page of pagesOf(tables, 'audit', 'find the first audit row', queryOptions, 1))
        for (const { partitionKey } of page) {
          const minute = String(partitionKey).slice(0, MINUTE);
          if (isMinute(minute)) return minute;
        }
      return undefined;
    },
  };
}

export function createAuditRows(tables: Tables): AuditRows {
  return {
    ...createAuditRowReader(tables),
    remove: (keys) =>
      each(keys, REMOVED_AT_ONCE, (key) =>
        call('tables', 'remove an audit row', async (abortSignal) => {
          const table = await tables('audit');
          const [partitionKey, rowKey] = keysOf(key);
          await table.deleteEntity(partitionKey, rowKey, { abortSignal }).catch(unless(404));
        }),
      ),
  };
}

function asRow(row: StoredRow): AuditRow {
  return {
    key: keyOf(row),
    // What is no number becomes NaN, which no writer stores.
    count: typeof row['count'] === 'number' ? row['count'] : Number.NaN,
    resources: String(row['resources']),
    records: joined('records', row),
  };
}

/** Two rows have two keys, also where somebody put one into a partition that it does not belong to. */
function keyOf({ partitionKey, rowKey }: StoredRow): string {
  const [partition, row] = [String(partitionKey), String(rowKey)];
  return partition.length === SECOND && row.startsWith(partition) ? row : `${partition}/${row}`;
}

/** Neither key of a row can have a slash. */
function keysOf(key: string): [partitionKey: string, rowKey: string] {
  const slash = key.indexOf('/');
  return slash < 0 ? [key.slice(0, SECOND), key] : [key.slice(0, slash), key.slice(slash + 1)];
}

function isMinute(text: string): boolean {
  const ms = Date.parse(`${text}Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

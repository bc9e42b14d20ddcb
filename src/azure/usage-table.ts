/**
 * The books, in table `usage`: partition `cursor` has one row; `{hour or day}:{resource}` the roll-ups, a row an hour or
 * a day; `rows` the lists of closed rows, and `draft` what an entry will count, each under its minute or sequence.
 */
import * as z from 'zod';
import { each } from '../each.ts';
import type { Books, BooksReader, Cursor, RollUp, RollUpKey, RowList, Versioned } from '../record/ports.ts';
import { call } from './call.ts';
import { chunks, joined, pieces } from './chunks.ts';
import { pagesOf, type StoredRow } from './pages.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import { int64, type Tables } from './tables.ts';

const CURSOR = { partitionKey: 'cursor', rowKey: 'cursor' } as const;
const LISTS = 'rows';
const DRAFTS = 'draft';
/** A row holds a mebibyte, and a character takes two bytes of it. */
const ROW_CHARACTERS = 400_000;
const AT_ONCE = 16;
const KEYS = ['PartitionKey', 'RowKey'];

const sequence = z.coerce.number().int();
const cursorRow = z.object({
  sequence,
  hash: z.string(),
  minute: z.string(),
  position: sequence,
  removedBefore: z.string(),
});
const rollUpRow = z.object({ partitionKey: z.string(), rowKey: z.string(), through: sequence });
const pieceRow = z.object({ minute: z.string(), sequence });

export function createBooksReader(tables: Tables): BooksReader {
  return {
    cursor: () => readOne(tables, 'read the cursor', CURSOR.partitionKey, CURSOR.rowKey, asCursor),
    lists: (first, last) => listsWhere(tables, `RowKey ge '${first}' and RowKey lt '${last}~'`),
    async rollUps({ per, resource, first, last, after, calls }) {
      const conditions = [`RowKey ge '${first}'`, `RowKey le '${last}'`];
      if (resource !== undefined) conditions.push(`PartitionKey eq '${per}:${quoted(resource)}'`);
      // A semicolon comes after the colon, so between them are all resources.
      else conditions.push(`PartitionKey ge '${per}:'`, `PartitionKey lt '${per};'`);
      if (after !== undefined) {
        const partition = quoted(`${after.per}:${after.resource}`);
        conditions.push(
          `(PartitionKey gt '${partition}' or (PartitionKey eq '${partition}' and RowKey gt '${quoted(after.at)}'))`,
        );
      }
      const items: RollUp[] = [];
      let left = calls;
      const pages = pagesOf(tables, 'usage', 'read usage', { filter: conditions.join(' and ') });
      for await (const page of pages) {
        // Looked at before more is asked for: the last page of all is no reason to go on.
        items.push(...page.map(asRollUp));
        left -= 1;
        const at = items.at(-1);
        if (left <= 0 && at !== undefined && !isLast(page))
          return { items, next: { per, resource: at.resource, at: at.at } };
      }
      return { items };
    },
  };
}

export function createBooks(tables: Tables): Books {
  /** @param etag of what was read; undefined: there was nothing */
  const put = (what: string, row: { partitionKey: string; rowKey: string }, etag: string | undefined) =>
    call('tables', what, async (abortSignal) => {
      const table = await tables('usage');
      const written =
        etag === undefined
          ? await table.createEntity(row, { abortSignal }).catch(unless(409))
          : await table.updateEntity(row, 'Replace', { etag, abortSignal }).catch(unless(404, 412));
      return written === undefined ? 'changed' : 'written';
    });
  const putPieces = (what: string, partitionKey: string, key: string, text: string, more: object) =>
    each(pieces(text, ROW_CHARACTERS).entries(), AT_ONCE, ([index, piece]) =>
      call('tables', what, async (abortSignal) => {
        const table = await tables('usage');
        const row = { partitionKey, rowKey: pieceKey(key, index), ...more, ...chunks('text', piece) };
        await table.upsertEntity(row, 'Replace', { abortSignal });
      }),
    );
  const remove = (rows: readonly { partitionKey: string; rowKey: string }[]) =>
    each(rows, AT_ONCE, ({ partitionKey, rowKey }) =>
      call('tables', 'remove from the books', async (abortSignal) => {
        const table = await tables('usage');
        await table.deleteEntity(partitionKey, rowKey, { abortSignal }).catch(unless(404));
      }),
    );
  /** @returns how many rows were removed */
  const removeWhere = async (filter: string, most = Number.POSITIVE_INFINITY): Promise<number> => {
    let removed = 0;
    for await (const page of pagesOf(tables, 'usage', 'find in the books', { filter, select: KEYS })) {
      const rows = page.slice(0, most - removed).map((row) => ({
        partitionKey: String(row['partitionKey']),
        rowKey: String(row['rowKey']),
      }));
      await remove(rows);
      removed += rows.length;
      if (removed >= most) break;
    }
    return removed;
  };

  return {
    ...createBooksReader(tables),
    moveCursor: ({ sequence, position, ...cursor }, etag) =>
      put('move the cursor', { ...CURSOR, ...cursor, ...numbers({ sequence, position }) }, etag),
    rollUp: ({ per, resource, at }) => readOne(tables, 'read a roll-up', `${per}:${resource}`, at, asRollUp),
    putRollUp: ({ per, resource, at, through, cells }, etag) =>
      put(
        'write a roll-up',
        {
          partitionKey: `${per}:${resource}`,
          rowKey: at,
          ...numbers({ through }),
          ...chunks('cells', cells),
        },
        etag,
      ),
    putList: (list) => {
      const { minute, sequence, text } = list;
      return putPieces('write a list of rows', LISTS, listKey(list), text, {
        minute,
        ...numbers({ sequence }),
      });
    },
    oldestLists: (before, most) => listsWhere(tables, `RowKey lt '${before}'`, most),
    removeLists: (lists) =>
      remove(
        lists.flatMap((list) =>
          pieces(list.text, ROW_CHARACTERS).map((_, index) => ({
            partitionKey: LISTS,
            rowKey: pieceKey(listKey(list), index),
          })),
        ),
      ),
    removeHours: (before, most) =>
      removeWhere(`PartitionKey ge 'hour:' and PartitionKey lt 'hour;' and RowKey lt '${before}'`, most),
    putDraft: (sequence, hash, text) =>
      putPieces('write a draft', DRAFTS, draftKey(sequence, hash), text, numbers({ sequence })),
    async draft(sequence, hash) {
      const key = draftKey(sequence, hash);
      const filter = `PartitionKey eq '${DRAFTS}' and RowKey ge '${key}:' and RowKey lt '${key};'`;
      let text: string | undefined;
      for await (const page of pagesOf(tables, 'usage', 'read a draft', { filter }))
        for (const row of page) text = `${text ?? ''}${joined('text', row)}`;
      return text;
    },
    removeDrafts: async (through) =>
      void (await removeWhere(`PartitionKey eq '${DRAFTS}' and RowKey lt '${digits(through + 1, 12)}'`)),
  };
}

/** In the order of minute and sequence; at most so many, and each of them whole. */
async function listsWhere(
  tables: Tables,
  where: string,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly RowList[]> {
  const filter = `PartitionKey eq '${LISTS}' and ${where}`;
  const found = new Map<string, RowList>();
  for await (const page of pagesOf(tables, 'usage', 'read lists of rows', { filter }))
    for (const row of page) {
      const { minute, sequence } = pieceRow.parse(row);
      const key = listKey({ minute, sequence });
      const known = found.get(key);
      if (known === undefined && found.size === most) return [...found.values()];
      found.set(key, { minute, sequence, text: `${known?.text ?? ''}${joined('text', row)}` });
    }
  return [...found.values()];
}

/** OData: a quote inside a string is written twice. */
const quoted = (text: string) => text.replaceAll("'", "''");
/** With leading zeros, so that texts sort as the numbers do. */
const digits = (number: number, width: number): string => String(number).padStart(width, '0');
const listKey = ({ minute, sequence }: Pick<RowList, 'minute' | 'sequence'>): string =>
  `${minute}:${digits(sequence, 12)}`;
const draftKey = (sequence: number, hash: string): string => `${digits(sequence, 12)}:${hash}`;
const pieceKey = (key: string, index: number): string => `${key}:${digits(index, 4)}`;
const numbers = (values: Readonly<Record<string, number>>): object =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, int64(value)]));
const isLast = (page: readonly StoredRow[]): boolean =>
  (page as { readonly continuationToken?: string }).continuationToken === undefined;

const asCursor = (row: StoredRow): Cursor => cursorRow.parse(row);
function asRollUp(row: StoredRow): RollUp {
  const { partitionKey, rowKey, through } = rollUpRow.parse(row);
  const [per = '', resource = ''] = partitionKey.split(':');
  const key: RollUpKey = { per: per === 'hour' ? 'hour' : 'day', resource, at: rowKey };
  return { ...key, through, cells: joined('cells', row) };
}

const readOne = <Value>(
  tables: Tables,
  what: string,
  partitionKey: string,
  rowKey: string,
  read: (row: StoredRow) => Value,
): Promise<Versioned<Value> | undefined> =>
  call('tables', what, async (abortSignal) => {
    const table = await tables('usage');
    try {
      const row = await table.getEntity<Record<string, unknown>>(partitionKey, rowKey, { abortSignal });
      return { value: read(row), etag: row.etag };
    } catch (error) {
      if (isNoSuchEntity(error)) return undefined;
      throw error;
    }
  });

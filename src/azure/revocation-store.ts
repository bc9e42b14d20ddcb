/** The revocations, in table `state`, as their writers see them. How the rows hang together: `revocation-rows.ts`. */
import { coalesce } from '../coalesce.ts';
import type { Entry } from '../revocation/entry.ts';
import type { RevocationTable } from '../revocation/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import {
  ENTRIES,
  entryShape,
  LOG,
  type Logged,
  logKey,
  readLog,
  toEntryRow,
  toLogRow,
} from './revocation-rows.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

/** When others keep changing the log, so many reads and conditional writes are tried; then it counts as an outage. */
const MAX_ROUNDS = 20;
const MAX_PAUSE_MS = 50;
/** Changes that wait at the same time share one row of the log, so many at most. */
const MOST_AT_ONCE = 16;

interface Stored {
  readonly etag: string;
  readonly entry: Entry;
  readonly change: number;
}
interface Asked {
  readonly key: string;
  readonly change: Parameters<RevocationTable['update']>[1];
}
type Found = ReadonlyMap<string, Stored | undefined>;

/** @param pause what a writer does before it tries again */
export function createRevocationTable(tables: Tables, pause = shortPause): RevocationTable {
  const read = (key: string): Promise<Stored | undefined> =>
    call('tables', 'read revocation', async (abortSignal) => {
      const table = await tables('state');
      try {
        const row = await table.getEntity(ENTRIES, key, { abortSignal });
        return { etag: row.etag, ...entryShape.parse(row) };
      } catch (error) {
        if (isNoSuchEntity(error)) return undefined;
        throw error;
      }
    });

  /** Does nothing where somebody else changed the row after it was read: then this change is in it, or comes after. */
  const complete = (logged: Logged, found: Found): Promise<unknown> =>
    Promise.all(
      missing(logged, found).map(([key, entry]) =>
        call('tables', 'write revocation', async (abortSignal) => {
          const table = await tables('state');
          const row = toEntryRow(key, entry, logged.number);
          const etag = found.get(key)?.etag;
          await (etag === undefined
            ? table.createEntity(row, { abortSignal }).catch(unless(409))
            : table.updateEntity(row, 'Replace', { etag, abortSignal }).catch(unless(404, 412)));
        }),
      ),
    );

  /** False: there is a row with this number already, by somebody else or by an attempt whose answer was lost. */
  const append = (row: Logged): Promise<boolean> =>
    call('tables', 'append to revocation log', async (abortSignal) => {
      const table = await tables('state');
      return (await table.createEntity(toLogRow(row), { abortSignal }).catch(unless(409))) !== undefined;
    });

  const update = coalesce<Asked, ReadonlyMap<string, Entry | undefined>>(
    async (asked) => {
      for (let round = 1; round <= MAX_ROUNDS; round += 1) {
        const [last] = await readLog(tables, 0, 1);
        const keys = [...new Set([...asked.map(({ key }) => key), ...(last?.entries.keys() ?? [])])];
        const found: Found = new Map(
          await Promise.all(keys.map(async (key) => [key, await read(key)] as const)),
        );
        if (last !== undefined && missing(last, found).length > 0) {
          await complete(last, found);
          continue;
        }
        const results = new Map(keys.map((key) => [key, found.get(key)?.entry]));
        for (const { key, change } of asked) results.set(key, change(results.get(key)) ?? results.get(key));
        const entries = new Map<string, Entry>();
        for (const [key, entry] of results)
          if (entry !== undefined && entry !== found.get(key)?.entry) entries.set(key, entry);
        if (entries.size === 0) return results;
        const row = { number: (last?.number ?? 0) + 1, entries };
        if (await append(row)) {
          await complete(row, found);
          return results;
        }
        await pause();
      }
      throw new UpstreamFailure('tables', 'too many writers of revocations');
    },
    { most: MOST_AT_ONCE },
  );

  return {
    update: async (key, change) => (await update({ key, change })).get(key),

    list: () =>
      call(
        'tables',
        'list revocations',
        async (abortSignal) => {
          const table = await tables('state');
          const entries: Entry[] = [];
          const queryOptions = { filter: `PartitionKey eq '${ENTRIES}'` };
          for await (const row of table.listEntities({ queryOptions, abortSignal }))
            entries.push(entryShape.parse(row).entry);
          return entries;
        },
        // Longer than an exchange waits for the list, so that a list that became too long can still be tidied.
        { deadlineMs: 30_000 },
      ),

    async remove(key, isGone) {
      const [last] = await readLog(tables, 0, 1);
      const current = await read(key);
      // What the last row of the log changed would be completed by the next writer, and so come back.
      if (current === undefined || !isGone(current.entry) || last?.entries.has(key)) return;
      await call('tables', 'remove revocation', async (abortSignal) => {
        const table = await tables('state');
        const { etag } = current;
        await table.deleteEntity(ENTRIES, key, { etag, abortSignal }).catch(unless(404, 412));
      });
    },

    async trimLog(through) {
      const [last] = await readLog(tables, 0, 1);
      await call(
        'tables',
        'trim revocation log',
        async (abortSignal) => {
          const table = await tables('state');
          // Never the last row: readers and writers find their place by it.
          const from = logKey(Math.min(through, (last?.number ?? 0) - 1));
          const queryOptions = {
            filter: `PartitionKey eq '${LOG}' and RowKey ge '${from}'`,
            select: ['PartitionKey', 'RowKey'],
          };
          for await (const { rowKey } of table.listEntities({ queryOptions, abortSignal }))
            await table.deleteEntity(LOG, String(rowKey), { abortSignal }).catch(unless(404));
        },
        // The next sweep removes what this one did not reach.
        { deadlineMs: 30_000, attempts: 1 },
      );
      return last?.number ?? 0;
    },
  };
}

/** What this row of the log changed and the scopes' own rows do not have. */
function missing({ number, entries }: Logged, found: Found): [string, Entry][] {
  return [...entries].filter(([key]) => (found.get(key)?.change ?? 0) < number);
}

const shortPause = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_PAUSE_MS));

/**
 * The revocations as an exchange needs them, kept in memory. The first read loads all of them, and each later one only
 * what the log says was changed since. All are loaded again when the log does not reach back to the read before.
 */
import type { Clock, Revocation } from '../ports.ts';
import { isSpent } from '../revocation/entry.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { ENTRIES, type Logged, type ReadRevocations, readLog, seenShape } from './revocation-rows.ts';
import type { Tables } from './tables.ts';

/** With when it was received, so that it can be forgotten. */
type Held = Revocation & { readonly receivedAtMs: number };

const FORGET_EVERY_MS = 3_600_000;
/** A spent entry is removed from the tables by a clock that may differ from this one; nothing here needs it longer. */
const FORGET_AFTER_MS = 3_600_000;
/** A hundred thousand rows are a hundred pages. */
const LOAD_DEADLINE_MS = 60_000;

/**
 * @returns reads what was changed, or all. One read at a time. What a later read finds is written into the same map, which a
 * copy of a hundred thousand entries would not be worth: whoever still holds it sees what is newer, never half of it.
 */
export function createRevocationReader(
  tables: Tables,
  clock: Clock,
): (all: boolean) => Promise<ReadRevocations> {
  let held: { readonly entries: Map<string, Held>; through: number; forgotAtMs: number } | undefined;

  async function loadAll(): Promise<ReadRevocations> {
    // Before the rows are read: what is logged while they are read is seen at the next read.
    const [last] = await readLog(tables, 0, 1);
    const changes = new Map<string, number>();
    const entries = await call(
      'tables',
      'read revocation',
      async (abortSignal) => {
        const table = await tables('state');
        const found = new Map<string, Held>();
        // Exchanges need only these columns, which are less than half of a row's bytes.
        const select = Object.keys(seenShape.shape).map((name) => (name === 'rowKey' ? 'RowKey' : name));
        const queryOptions = { filter: `PartitionKey eq '${ENTRIES}'`, select };
        for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
          const row = seenShape.safeParse(entity);
          // A row that cannot be parsed may be a revocation. To leave it out would grant what it forbids.
          if (!row.success) throw new UpstreamFailure('tables', 'a revocation row cannot be read');
          const { rowKey, change, ...entry } = row.data;
          found.set(rowKey, entry);
          if (last?.entries.has(rowKey)) changes.set(rowKey, change);
        }
        return found;
      },
      { deadlineMs: LOAD_DEADLINE_MS },
    );
    // The last row of the log may not be in the scopes' rows yet, but all before it are.
    for (const [key, entry] of last?.entries ?? [])
      if ((changes.get(key) ?? 0) < (last?.number ?? 0)) entries.set(key, seen(entry));
    held = { entries, through: last?.number ?? 0, forgotAtMs: clock() };
    return { entries, isNew: true };
  }

  return async (all) => {
    if (all || held === undefined) return loadAll();
    const { entries, through } = held;
    const rows = await readLog(tables, through);
    if (!follows(rows, through)) return loadAll();
    for (const row of rows.reverse())
      if (row.number > through) for (const [key, entry] of row.entries) entries.set(key, seen(entry));
    held.through = rows.at(-1)?.number ?? through;
    const nowMs = clock();
    if (nowMs - held.forgotAtMs >= FORGET_EVERY_MS) {
      held.forgotAtMs = nowMs;
      for (const [key, entry] of entries) if (isSpent(entry, nowMs - FORGET_AFTER_MS)) entries.delete(key);
    }
    return { entries, isNew: held.through > through };
  };
}

/** Whether the rows, the newest first, are all that were logged from this number on, which itself is among them. */
function follows(rows: readonly Logged[], through: number): boolean {
  const oldest = Math.max(through, 1);
  if (rows.length === 0) return through === 0;
  return rows.every(({ number }, index) => number === oldest + rows.length - 1 - index);
}

function seen({ scope, cutOffSeconds, blocked, receivedAtMs }: Held): Held {
  return { scope, cutOffSeconds, blocked, receivedAtMs };
}

/**
 * Reads what the next entries of the chain will say: the rows of each of their minutes, and rows of earlier minutes
 * that came after those were closed. A minute is looked at again by the entries that are 5, 15 and 60 minutes and
 * 25 hours further on. So a row that is at most 25 hours late is always found, however late the closing itself is.
 */
import { sha256 } from '../secret.ts';
import type { Closed } from './chain.ts';
import { addMinutes, type Minute, minutesBetween } from './minute.ts';
import type { AuditRow, AuditRowReader, BooksReader } from './ports.ts';
import { type Counted, countedIn, digestOf, listOf, readList } from './records-of.ts';
import { LAST_LOOK_MINUTES } from './retention.ts';

const LOOKS_AFTER_MINUTES = [5, 15, 60, LAST_LOOK_MINUTES];

/** What one entry will say, and what it will count. */
export interface ReadMinute extends Closed {
  readonly lists: readonly { readonly minute: Minute; readonly text: string }[];
  readonly counted: readonly Counted[];
}
export interface Read {
  readonly minutes: readonly ReadMinute[];
  readonly unreadable: number;
}

export async function readMinutes(
  audit: AuditRowReader,
  books: BooksReader,
  first: Minute,
  last: Minute,
): Promise<Read> {
  const gathered = new Map(minutesBetween(first, last).map((minute) => [minute, gather()]));
  for await (const row of audit.rows(first, last)) gathered.get(minuteIn(row))?.take(row);

  const late = new Map<Minute, Gathered>();
  for (const [from, to] of looks(first, last))
    for (const [minute, keys] of await newKeys(audit, books, from, to)) {
      const found = gather();
      for await (const row of audit.rows(minute, minute)) if (keys.has(row.key)) found.take(row);
      late.set(minute, found);
    }

  const minutes = [...gathered].map(([minute, own]): ReadMinute => {
    // What came late is in the last entry of those that are written together.
    const others = minute === last ? [...late] : [];
    const all: readonly [Minute, Gathered][] = [[minute, own], ...others];
    const lists = all.map(([of, { rows }]) => ({ minute: of, rows: rows.length, text: listOf(rows) }));
    const [{ rows, text } = { rows: 0, text: '' }, ...rest] = lists;
    return {
      rows,
      digest: sha256(text),
      late: rest.map((list) => ({ minute: list.minute, rows: list.rows, digest: sha256(list.text) })),
      lists: lists
        .filter((list) => list.text !== '')
        .map((list) => ({ minute: list.minute, text: list.text })),
      counted: all.flatMap(([, { counted }]) => counted()),
    };
  });
  const unreadable = [...gathered.values(), ...late.values()].reduce((sum, one) => sum + one.unreadable(), 0);
  return { minutes, unreadable };
}

const MINUTE_CHARACTERS = 16;
/** A key begins with its partition, which is a second. */
const minuteIn = ({ key }: Pick<AuditRow, 'key'>): Minute => key.slice(0, MINUTE_CHARACTERS);

/** Which earlier minutes are due, as spans without a common minute. A minute that is only read now is not among them. */
function looks(first: Minute, last: Minute): [Minute, Minute][] {
  const spans: [Minute, Minute][] = [];
  const before = addMinutes(first, -1);
  for (const after of [...LOOKS_AFTER_MINUTES].sort((one, other) => other - one)) {
    const due = addMinutes(last, -after);
    const to = due < before ? due : before;
    const from = addMinutes(first, -after);
    const earlier = spans.at(-1);
    if (earlier === undefined || from > addMinutes(earlier[1], 1)) spans.push([from, to]);
    else if (to > earlier[1]) earlier[1] = to;
  }
  return spans;
}

/** The keys that no entry has closed, by minute. */
async function newKeys(
  audit: AuditRowReader,
  books: BooksReader,
  first: Minute,
  last: Minute,
): Promise<ReadonlyMap<Minute, ReadonlySet<string>>> {
  const [keys, lists] = await Promise.all([audit.keys(first, last), books.lists(first, last)]);
  const known = new Set(lists.flatMap(({ text }) => readList(text).map(({ key }) => key)));
  const found = new Map<Minute, Set<string>>();
  for (const key of keys) {
    if (known.has(key)) continue;
    const minute = minuteIn({ key });
    found.set(minute, (found.get(minute) ?? new Set()).add(key));
  }
  return found;
}

/** Collects rows: their lines of the list, and what they count, summed up, so that a busy minute fits into memory. */
interface Gathered {
  readonly rows: { readonly key: string; readonly digest: string }[];
  readonly counted: () => readonly Counted[];
  readonly unreadable: () => number;
  readonly take: (row: AuditRow) => void;
}
function gather(): Gathered {
  const rows: { readonly key: string; readonly digest: string }[] = [];
  const sums = new Map<string, Counted>();
  let unreadable = 0;
  return {
    rows,
    counted: () => [...sums.values()],
    unreadable: () => unreadable,
    take: (row) => {
      rows.push({ key: row.key, digest: digestOf(row) });
      const read = countedIn(row);
      unreadable += read.unreadable;
      for (const cell of read.counted) {
        const { count, lastAtMs, ...what } = cell;
        const key = JSON.stringify(Object.values(what));
        const sum = sums.get(key);
        sums.set(key, {
          ...cell,
          count: count + (sum?.count ?? 0),
          lastAtMs: Math.max(lastAtMs, sum?.lastAtMs ?? 0),
        });
      }
    },
  };
}

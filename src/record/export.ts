/**
 * A span of the audit with its proof, as lines of JSON (infra/PROOF.md has the format to the byte): the chain of the
 * days that say something of the span, the lists of its rows, and the rows. It is made a page at a time. What reads it
 * back needs nothing else to verify it, and so the command and an auditor's own program see the same.
 */
import * as z from 'zod';
import { hashOf, readLine } from './entry.ts';
import { addMinutes, type Day, dayOf, type Minute } from './minute.ts';
import type { AuditRowReader, BooksReader, Cursor, ProofReader } from './ports.ts';
import { digestOf } from './records-of.ts';
import { LAST_LOOK_MINUTES } from './retention.ts';
import type { Evidence } from './verify.ts';
import { type Blob, daysFor } from './verify-chain.ts';

export interface RecordReaders {
  readonly audit: AuditRowReader;
  readonly proof: ProofReader;
  readonly books: BooksReader;
}
export interface ExportQuery {
  readonly first: Minute;
  readonly last: Minute;
  /** The minute that the page before ended with. */
  readonly after: Minute | undefined;
}
export interface ExportPage {
  readonly lines: readonly string[];
  readonly next?: Minute;
}

const text = z.string();
const shapes = z.strictObject({
  /** Where the chain was counted to when the page was made, and the line of that entry. */
  span: z.strictObject({ first: text, last: text }).optional(),
  cursor: z
    .strictObject({ sequence: z.int(), hash: text, minute: text, position: z.int(), removedBefore: text })
    .optional(),
  entry: text.optional(),
  /** A line of a day's blob, as it is. */
  day: text.optional(),
  line: text.optional(),
  list: z.strictObject({ minute: text, sequence: z.int(), text }).optional(),
  row: z
    .strictObject({
      key: text,
      // What is no number in the table is none in JSON, and has the digest of one that is none.
      count: z.number().nullable(),
      resources: text,
      records: text,
    })
    .optional(),
});

/** A page ends with the minute in which it has this much. */
const MAX_CHARACTERS = 2_000_000;
/** Rows are read this many minutes at a time. */
const WINDOW_MINUTES = 60;

/** @param isOver whether the page's time is over. @throws UpstreamFailure */
export async function exportPage(
  { audit, proof, books }: RecordReaders,
  { first, last, after }: ExportQuery,
  isOver: () => boolean = () => false,
): Promise<ExportPage> {
  const cursor = (await books.cursor())?.value;
  const lines: string[] = [];
  let length = 0;
  const put = (line: object): void => {
    const written = JSON.stringify(line);
    length += written.length + 1;
    lines.push(written);
  };
  const isFull = () => length > MAX_CHARACTERS || isOver();
  const chain = async (day: Day): Promise<string[]> => linesOf(await proof.read(day, 0));

  if (cursor === undefined) put({ span: { first, last } });
  else {
    const entry = (await chain(dayOf(cursor.minute))).find((line) => hashOf(line) === cursor.hash);
    put({ span: { first, last }, cursor, ...(entry !== undefined && { entry }) });
  }
  // Also of days beyond the cursor: it may have been put back.
  const days = daysFor(first, last, LAST_LOOK_MINUTES);
  const beginning = after === undefined ? first : addMinutes(after, 1);
  for (let at = beginning; ; ) {
    const day = dayOf(at);
    if (at === first || at === `${day}T00:00`) {
      if (!days.includes(day) && at > last) return { lines };
      for (const line of await chain(day)) put({ day, line });
    }
    const endOfDay = `${day}T23:59`;
    const to = [last, endOfDay].sort()[0] ?? last;
    if (at <= to) {
      const window = [to, addMinutes(at, WINDOW_MINUTES - 1)].sort()[0] ?? to;
      const done = await putRows(audit, books, at, window, put, isFull);
      at = addMinutes(done, 1);
    } else at = addMinutes(endOfDay, 1);
    if (isFull()) return { lines, next: addMinutes(at, -1) };
  }
}

/** The lists and rows of these minutes. @returns the last minute that is whole */
async function putRows(
  audit: AuditRowReader,
  books: BooksReader,
  from: Minute,
  to: Minute,
  put: (line: object) => void,
  isFull: () => boolean,
): Promise<Minute> {
  const lists = [...(await books.lists(from, to))];
  let minute = from;
  const putLists = (through: Minute) => {
    while ((lists[0]?.minute ?? '~') <= through) put({ list: lists.shift() });
  };
  for await (const row of audit.rows(from, to)) {
    const its = row.key.slice(0, from.length);
    if (its > minute) {
      if (isFull()) {
        putLists(addMinutes(its, -1));
        return addMinutes(its, -1);
      }
      putLists(its);
      minute = its;
    } else putLists(minute);
    put({ row });
  }
  putLists(to);
  return to;
}

const linesOf = (blob: string): string[] => blob.split('\n').slice(0, -1);

/** Takes an export, line by line and page by page. */
export function createExportReader(): {
  take: (line: string) => 'taken' | 'unreadable';
  evidence: () => Evidence;
} {
  const blobs = new Map<Day, string[]>();
  const lists: { minute: Minute; sequence: number; text: string }[] = [];
  const rows: { key: string; digest: string }[] = [];
  let span = { first: '', last: '' };
  let cursor: Cursor | undefined;
  let removedBefore = '';
  return {
    take: (line) => {
      const { data } = shapes.safeParse(parsed(line));
      if (data === undefined) return 'unreadable';
      if (data.span !== undefined) {
        span = data.span;
        // The chain of the first page reaches at least as far as its own cursor, and later ones have gone on.
        cursor ??= data.cursor;
        const entry = data.entry === undefined ? 'unreadable' : readLine(data.entry);
        const isOfCursor = data.entry !== undefined && hashOf(data.entry) === data.cursor?.hash;
        if (entry !== 'unreadable' && isOfCursor && entry.removedBefore > removedBefore)
          removedBefore = entry.removedBefore;
      }
      if (data.day !== undefined) {
        const known = blobs.get(data.day) ?? [];
        blobs.set(data.day, known);
        known.push(data.line ?? '');
      }
      if (data.list !== undefined) lists.push(data.list);
      if (data.row !== undefined) {
        const row = { ...data.row, count: data.row.count ?? Number.NaN };
        rows.push({ key: row.key, digest: digestOf(row) });
      }
      return 'taken';
    },
    evidence: () => {
      const days = daysFor(span.first, span.last, LAST_LOOK_MINUTES);
      return {
        ...span,
        days: { first: days[0] ?? dayOf(span.first), last: days.at(-1) ?? dayOf(span.first) },
        blobs: [...blobs].map(
          ([day, kept]): Blob => ({ day, text: kept.map((line) => `${line}\n`).join('') }),
        ),
        cursor,
        removedBefore,
        lists,
        rows,
      };
    },
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What a verification of a span needs, read straight from where it is stored. @throws UpstreamFailure */
export async function gather(readers: RecordReaders, first: Minute, last: Minute): Promise<Evidence> {
  const reader = createExportReader();
  for (let after: Minute | undefined, isMore = true; isMore; isMore = after !== undefined) {
    const page = await exportPage(readers, { first, last, after });
    for (const line of page.lines) reader.take(line);
    after = page.next;
  }
  return reader.evidence();
}

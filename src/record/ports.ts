/**
 * What closing, counting and verifying need from the outside. Each interface comes in two halves, so that an identity
 * that reads is given nothing that writes. Each method may throw UpstreamFailure, and then it is not known whether a
 * write happened. Every write can be repeated: it is conditional, or leads to the same rows.
 */
import type { Day, Minute } from './minute.ts';

// --- the audit ----------------------------------------------------------------------------------------

/** One row of table `audit`, as it is stored. */
export interface AuditRow {
  /** The RowKey. Where it does not begin with the row's PartitionKey: `{PartitionKey}/{RowKey}`, which no writer makes. */
  readonly key: string;
  readonly count: number;
  readonly resources: string;
  /** The columns `records0`, `records1` … joined: one JSON text a line. */
  readonly records: string;
}
export interface AuditRowReader {
  /**
   * All rows whose PartitionKey is in one of the minutes, from the first to the last, both with, in the order of
   * PartitionKey and RowKey. It throws unless it reached the end.
   */
  rows(first: Minute, last: Minute): AsyncIterable<AuditRow>;
  /** Only their keys, spelled as in `AuditRow.key`, in the same order. */
  keys(first: Minute, last: Minute): Promise<readonly string[]>;
  /** The minute of the oldest row; undefined: there is none. */
  earliest(): Promise<Minute | undefined>;
}
export interface AuditRows extends AuditRowReader {
  /** Removes these rows. One that is not there any more was removed before. */
  remove(keys: readonly string[]): Promise<void>;
}

// --- the proof: an append blob a day ------------------------------------------------------------------

export interface ProofReader {
  /**
   * The text of a day's blob from this byte to its end; '' where there is nothing more, or no such blob. The text is
   * ASCII, and an append is whole or not there, so it holds whole lines.
   */
  read(day: Day, position: number): Promise<string>;
  /** The days that have a blob, the oldest first. */
  days(): Promise<readonly Day[]>;
}
export interface Proof extends ProofReader {
  /**
   * Appends where the blob is exactly so long (it is made first where it is not there), and else changes nothing.
   * `moved`: it is not so long. That may be because an earlier attempt of this same call was carried out.
   */
  append(day: Day, position: number, text: string): Promise<'appended' | 'moved'>;
}

// --- the books: table `usage` -------------------------------------------------------------------------

/** How far the chain is counted. It is also where the next entry is looked for, and where the chain is known to have reached. */
export interface Cursor {
  /** The last entry that is counted; 0: none. */
  readonly sequence: number;
  /** Its hash. */
  readonly hash: string;
  /** The last minute that is closed and counted. */
  readonly minute: Minute;
  /** The length in bytes of that minute's day's blob after the entry. */
  readonly position: number;
  /** As in that entry. */
  readonly removedBefore: Minute | '';
}
/** With the ETag that a write is conditional on. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

export type Per = 'hour' | 'day';
/** Partition `{per}:{resource}`, row `at`. */
export interface RollUpKey {
  readonly per: Per;
  /** The name of a resource; '' for what is counted under none. */
  readonly resource: string;
  /** `2026-11-26T01` of an hour, `2026-11-26` of a day. */
  readonly at: string;
}
export interface RollUp extends RollUpKey {
  /** Entries up to this one are counted in it. */
  readonly through: number;
  /** At most 400,000 characters (cell-shape.ts), so it is split over columns. */
  readonly cells: string;
}
/** Which rows were closed by one entry in one minute: lines `{row's key} {row's digest}`, the text that is hashed. */
export interface RowList {
  readonly minute: Minute;
  /** The entry that closed them: the minute's own, or a later one for rows that came late. */
  readonly sequence: number;
  /** Some 140 characters a row, so it may be megabytes, and is split over columns and rows. */
  readonly text: string;
}

export interface BooksReader {
  cursor(): Promise<Versioned<Cursor> | undefined>;
  /** The lists of these minutes, from the first to the last, both with, by minute and then by sequence. */
  lists(first: Minute, last: Minute): Promise<readonly RowList[]>;
  /**
   * The roll-ups of one resource, or of all, from `first` to `last`, both with (texts as in `at`), in the order of
   * resource and `at`, in at most `calls` table calls. `next`: where to go on with `after`; absent: there are no more.
   */
  rollUps(query: {
    readonly per: Per;
    readonly resource: string | undefined;
    readonly first: string;
    readonly last: string;
    readonly after: RollUpKey | undefined;
    readonly calls: number;
  }): Promise<{ readonly items: readonly RollUp[]; readonly next?: RollUpKey }>;
}
export interface Books extends BooksReader {
  /** @param etag of the cursor that was read; undefined: there is none. `changed`: another one is there now */
  moveCursor(to: Cursor, etag: string | undefined): Promise<'written' | 'changed'>;
  rollUp(key: RollUpKey): Promise<Versioned<RollUp> | undefined>;
  /** As with the cursor. */
  putRollUp(rollUp: RollUp, etag: string | undefined): Promise<'written' | 'changed'>;
  /** The same list may be put again, and then nothing changes. */
  putList(list: RowList): Promise<void>;
  /** The lists of minutes before this one, the oldest first, at most so many. */
  oldestLists(before: Minute, most: number): Promise<readonly RowList[]>;
  /** Every part of these lists. One that is not there any more was removed before. */
  removeLists(lists: readonly RowList[]): Promise<void>;
  /** Removes the roll-ups by the hour of earlier hours (a text as in `at`), at most `most`. @returns how many */
  removeHours(before: string, most: number): Promise<number>;

  /**
   * What an entry will count, stored before the entry is appended, under its sequence and its hash. It may be
   * megabytes. Closers who compete store different ones, and one of them becomes an entry.
   */
  putDraft(sequence: number, hash: string, text: string): Promise<void>;
  draft(sequence: number, hash: string): Promise<string | undefined>;
  /** Removes the drafts of all entries up to this one, whoever made them. */
  removeDrafts(through: number): Promise<void>;
}

/** What may be removed at a time: whole days of closed rows whose time is over, and nothing that a legal hold keeps. */
import { addMinutes, dayOf, type Minute, minuteOf } from './minute.ts';
import type { AuditRows, Books, Cursor } from './ports.ts';

export interface Keep {
  /** So long the rows of the audit are kept. */
  readonly auditDays: number;
  /** A legal hold: rows that were written from this instant on are kept, however old they become. */
  readonly holdFromMs: number | undefined;
}
const DAY_MS = 86_400_000;

/** The last time that a minute is looked at again (read-minutes.ts). Before, a row of it may still come. */
export const LAST_LOOK_MINUTES = 25 * 60;

/** @returns rows of minutes before this one may be removed; it never moves back, and '' is none */
export function removableBefore(
  nowMs: number,
  { auditDays, holdFromMs = Number.POSITIVE_INFINITY }: Keep,
  { minute, removedBefore }: Pick<Cursor, 'minute' | 'removedBefore'>,
): Minute | '' {
  const over = Math.min(nowMs - auditDays * DAY_MS, holdFromMs);
  const settled = addMinutes(minute, -LAST_LOOK_MINUTES);
  const before = [minuteOf(over), settled].sort()[0] ?? settled;
  const midnight = `${dayOf(before)}T00:00`;
  return midnight > removedBefore ? midnight : removedBefore;
}

const LISTS_AT_ONCE = 60;

/**
 * Removes rows that were closed, and that the chain says may go. It goes by their lists, so a row that was never
 * closed stays, and shows. A list goes after its rows, so whoever dies in between leaves what the next one finishes.
 * @returns how many rows
 */
export async function remove(
  audit: AuditRows,
  books: Books,
  { removedBefore }: Cursor,
  keysOf: (text: string) => readonly string[],
  isOver: () => boolean,
): Promise<number> {
  if (removedBefore === '') return 0;
  let removed = 0;
  let hasMore = true;
  while (hasMore && !isOver()) {
    const lists = await books.oldestLists(removedBefore, LISTS_AT_ONCE);
    hasMore = lists.length > 0;
    const keys = lists.flatMap(({ text }) => keysOf(text));
    if (keys.length > 0) await audit.remove(keys);
    if (hasMore) await books.removeLists(lists);
    removed += keys.length;
  }
  if (removed > 0) await books.removeHours(removedBefore.slice(0, HOUR_CHARACTERS), MOST_HOURS);
  return removed;
}
const HOUR_CHARACTERS = 13;
const MOST_HOURS = 1_000;

/**
 * Closes the books of the audit, a minute at a time: an entry of the chain says which rows a minute has, and then they
 * are counted. The append of the entry is what makes it so: it succeeds for one of any number of closers, and whatever
 * happens before or after it can be done again by anybody.
 *
 * A minute is settled three minutes after its end, by the clock of the closer. A row's minute is of its writer's clock,
 * so two clocks may differ by two minutes (clocks.ts); a write ends within three seconds (azure/call.ts). What is left
 * is for a process that was paused between reading its clock and writing, and for the closer's own reading. A row that
 * comes later still is late: it is found, closed and counted as such (read-minutes.ts).
 */
import { each } from '../each.ts';
import { iso } from '../iso.ts';
import type { Clock, Log } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { follow, MOST_MINUTES, nextPlace, write } from './chain.ts';
import { AT_ONCE, count, type Draft, draftText, readDraft } from './count.ts';
import { NO_HASH, readLine } from './entry.ts';
import { addMinutes, type Minute, minuteOf } from './minute.ts';
import type { AuditRows, Books, Cursor, Proof, Versioned } from './ports.ts';
import { readMinutes } from './read-minutes.ts';
import { readList } from './records-of.ts';
import { type Keep, removableBefore, remove } from './retention.ts';
import { minutesBehind, settledAt } from './settled.ts';

export interface CloseDeps {
  readonly audit: AuditRows;
  readonly proof: Proof;
  readonly books: Books;
  readonly clock: Clock;
  readonly log: Log;
  readonly keep: Keep;
  /** Whether this run's time is over. What is left is done by the next one. */
  readonly isOver: () => boolean;
}
export interface Closed {
  /** Minutes that this run closed. */
  readonly closed: number;
  readonly removed: number;
  /** Settled minutes that are not closed yet. */
  readonly behind: number;
}

/** A place that moved so often while nothing follows from it is not a place of this chain. */
const MAX_LOST = 5;

/** Running it again is always right, and any number of processes may run it. @throws UpstreamFailure */
export async function closeBooks(deps: CloseDeps): Promise<Closed> {
  const { audit, books, clock, isOver } = deps;
  let closed = 0;
  let lost = 0;
  let sequence: number | undefined;
  for (;;) {
    const cursor = (await books.cursor()) ?? (await begun(deps));
    // Another closer is faster, and that is no loss.
    if (cursor.value.sequence !== sequence) lost = 0;
    sequence = cursor.value.sequence;
    const place = await counted(deps, cursor);
    if (place === 'moved') continue;
    const settled = settledAt(clock());
    const last = cursor.value.minute;
    if (last >= settled || isOver()) {
      const removed = await remove(audit, books, cursor.value, keysOf, isOver);
      return {
        closed,
        removed,
        behind: minutesBehind(last, clock()),
      };
    }
    const appended = await closeNext(deps, { ...cursor, value: place }, settled);
    closed += appended;
    lost = appended === 0 ? lost + 1 : 0;
    if (lost === MAX_LOST) throw new UpstreamFailure('blobs', 'the proof is not where the cursor says');
  }
}
const keysOf = (text: string): readonly string[] => readList(text).map(({ key }) => key);

/** Counts what is in the chain and not counted. @returns where the next entry goes, or that the cursor has moved */
async function counted(
  { proof, books, log }: CloseDeps,
  cursor: Versioned<Cursor>,
): Promise<Cursor | 'moved'> {
  const { day, position } = nextPlace(cursor.value);
  const { links, foreign, end } = follow(await proof.read(day, position), cursor.value);
  if (foreign > 0) log('record_foreign_lines', { day, count: foreign });
  if (links.length === 0) return end;
  const drafts = new Map<number, Draft>();
  const missing: number[] = [];
  for (const { entry, after } of links) {
    if (entry.rows === 0 && entry.late.length === 0) continue;
    const stored = await books.draft(entry.sequence, after.hash);
    const draft = stored === undefined ? undefined : readDraft(stored);
    if (draft === undefined) missing.push(entry.sequence);
    else drafts.set(entry.sequence, draft);
  }
  const moved = await count(books, cursor, links, end, drafts);
  // Where the cursor was moved by somebody else, the drafts are gone because they are counted.
  if (moved === 'written' && missing.length > 0)
    log('record_not_counted', { from: missing[0], count: missing.length });
  return 'moved';
}

/** Appends the entries of the next minutes. @returns how many, which is none where another closer was first */
async function closeNext(deps: CloseDeps, cursor: Versioned<Cursor>, settled: Minute): Promise<number> {
  const { audit, proof, books, clock, log, keep } = deps;
  const from = cursor.value;
  const first = addMinutes(from.minute, 1);
  const { day, position } = nextPlace(from);
  const last = [settled, addMinutes(first, MOST_MINUTES - 1), `${day}T23:59`].sort()[0] ?? first;
  const { minutes, unreadable } = await readMinutes(audit, books, first, last);
  if (unreadable > 0) log('record_unreadable', { first, last, count: unreadable });

  const nowMs = clock();
  const { links, text } = write(from, iso(nowMs), removableBefore(nowMs, keep, from), minutes);
  const drafts = new Map<number, Draft>();
  await each(links.entries(), AT_ONCE, async ([index, { entry, after }]) => {
    const draft = minutes[index];
    if (draft === undefined || draft.lists.length === 0) return;
    await books.putDraft(entry.sequence, after.hash, draftText(draft));
    drafts.set(entry.sequence, draft);
  });
  if ((await proof.append(day, position, text)) === 'moved') return 0;
  await count(books, cursor, links, links.at(-1)?.after ?? from, drafts);
  return links.length;
}

/** So old rows are no more closed where there never was a chain. */
const MAX_AGE_MS = 400 * 86_400_000;

/**
 * The chain begins where the audit does. The place is written before anything is appended, so that there is one. Where
 * the cursor was lost, it is counted again from the first blob on, and the roll-ups know what they have.
 */
async function begun({ audit, proof, books, clock }: CloseDeps): Promise<Versioned<Cursor>> {
  const [day] = await proof.days();
  const line = day === undefined ? '' : ((await proof.read(day, 0)).split('\n')[0] ?? '');
  const entry = readLine(line);
  const settled = settledAt(clock());
  const oldest = minuteOf(clock() - MAX_AGE_MS);
  const earliest = [settled, (await audit.earliest()) ?? settled].sort()[0] ?? settled;
  const start = earliest > oldest ? earliest : oldest;
  const to: Cursor =
    entry === 'unreadable'
      ? { sequence: 0, hash: NO_HASH, minute: addMinutes(start, -1), position: 0, removedBefore: '' }
      : {
          sequence: entry.sequence - 1,
          hash: entry.previous,
          minute: addMinutes(entry.minute, -1),
          position: 0,
          removedBefore: '',
        };
  await books.moveCursor(to, undefined);
  const found = await books.cursor();
  if (found === undefined) throw new UpstreamFailure('tables', 'the cursor is gone again');
  return found;
}

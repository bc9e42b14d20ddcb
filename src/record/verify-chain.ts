/**
 * Which of the lines of some days' blobs are the chain that was written, and what happened to the others. What is
 * known of a line is its hash, from the line after it; of the last one from the cursor. So it is followed from its end.
 */

import { MOST_MINUTES } from './chain.ts';
import type { Entry } from './entry.ts';
import { hashOf, readLine } from './entry.ts';
import { addMinutes, beginOf, type Day, dayOf, MINUTE_MS, type Minute } from './minute.ts';
import type { Cursor } from './ports.ts';

export interface Blob {
  readonly day: Day;
  readonly text: string;
}
export type ChainFinding =
  /** The entry of this minute is another one than the entry after it follows. */
  | { readonly kind: 'entry_changed'; readonly minute: Minute }
  /** The last entry of the day's blob is: what the blob says up to there is not what was written. */
  | { readonly kind: 'blob_rewritten'; readonly day: Day; readonly minute: Minute }
  | { readonly kind: 'entries_missing'; readonly from: Minute; readonly to: Minute }
  /** They are missing where the chain of these days begins or ends. */
  | {
      readonly kind: 'truncated';
      readonly at: 'beginning' | 'end';
      readonly from: Minute;
      readonly to: Minute;
    }
  /** Entries that are there, and not in their places. */
  | { readonly kind: 'entries_moved'; readonly minutes: readonly Minute[] }
  | { readonly kind: 'line_inserted'; readonly day: Day; readonly line: number }
  /** Far more is appended than one closing leaves uncounted: the cursor was put back, so that less would be proved. */
  | { readonly kind: 'cursor_behind'; readonly from: Minute; readonly to: Minute }
  /** There are blobs, and no cursor says how far they must reach. */
  | { readonly kind: 'cursor_missing' };

export interface WalkedChain {
  /** Entries that may be believed, by minute, as far as they are counted. */
  readonly entries: ReadonlyMap<Minute, Entry>;
  /** Of an entry that was there once, and now cannot be believed or is gone. The findings say so. */
  readonly isLost: (sequence: number) => boolean;
  readonly findings: readonly ChainFinding[];
}
interface Line {
  readonly entry: Entry;
  readonly hash: string;
  readonly place: number;
}

/** @param blobs of each day from the first to the last, where there is one */
export function walkChain(
  blobs: readonly Blob[],
  days: { first: Day; last: Day },
  cursor?: Cursor,
): WalkedChain {
  const findings: ChainFinding[] = [];
  const { bySequence, odd } = readLines(blobs, cursor);
  const lines = [...bySequence.values()].sort((one, other) => one.entry.sequence - other.entry.sequence);
  if (cursor === undefined) {
    if (blobs.length > 0) findings.push({ kind: 'cursor_missing' });
    return {
      entries: new Map(lines.map(({ entry }) => [entry.minute, entry])),
      isLost: () => false,
      findings,
    };
  }
  const minuteOf = (sequence: number) => addMinutes(cursor.minute, sequence - cursor.sequence);
  const sequenceOf = (minute: Minute) =>
    cursor.sequence + (beginOf(minute) - beginOf(cursor.minute)) / MINUTE_MS;

  const first = Math.max(1, sequenceOf(`${days.first}T00:00`));
  const last = Math.min(cursor.sequence, sequenceOf(`${days.last}T23:59`));
  const missing = new Set<number>();
  for (let sequence = first; sequence <= last; sequence += 1)
    if (!bySequence.has(sequence)) missing.add(sequence);

  // An odd line between the places of two others stands where one was, if that one is missing.
  for (const { day, line, after } of odd) {
    const sequence = after === undefined ? first : after + 1;
    if (missing.delete(sequence)) findings.push({ kind: 'entry_changed', minute: minuteOf(sequence) });
    else findings.push({ kind: 'line_inserted', day, line });
  }
  for (const [from, to] of runsOf(missing)) {
    const span = { from: minuteOf(from), to: minuteOf(to) };
    if (from === first) findings.push({ kind: 'truncated', at: 'beginning', ...span });
    else if (to === last) findings.push({ kind: 'truncated', at: 'end', ...span });
    else findings.push({ kind: 'entries_missing', ...span });
  }
  const end = lines.at(-1)?.entry;
  if (end !== undefined && end.sequence > cursor.sequence + MOST_MINUTES)
    findings.push({ kind: 'cursor_behind', from: addMinutes(cursor.minute, 1), to: end.minute });
  const places = lines.map(({ place }) => place).sort((one, other) => one - other);
  const moved = lines.filter(({ place }, index) => place !== places[index]);
  if (moved.length > 0)
    findings.push({ kind: 'entries_moved', minutes: moved.map(({ entry }) => entry.minute) });

  const changed = unbelieved(lines, cursor);
  for (const { entry } of changed) {
    const day = dayOf(entry.minute);
    const isLast = bySequence.get(entry.sequence + 1)?.entry.minute.startsWith(day) !== true;
    findings.push(
      isLast
        ? { kind: 'blob_rewritten', day, minute: entry.minute }
        : { kind: 'entry_changed', minute: entry.minute },
    );
  }
  // Of what is appended and not counted yet, the lists are not there yet.
  const believed = lines.filter((line) => !changed.includes(line) && line.entry.sequence <= cursor.sequence);
  const believable = new Set(believed.map(({ entry }) => entry.sequence));
  return {
    entries: new Map(believed.map(({ entry }) => [entry.minute, entry])),
    isLost: (sequence) => sequence >= first && sequence <= last && !believable.has(sequence),
    findings,
  };
}

interface OddLine {
  readonly day: Day;
  /** From 1. */
  readonly line: number;
  /** The sequence of the line before it, where that is none of these. */
  readonly after: number | undefined;
}
/**
 * The lines that are an entry of this chain, and the others: a minute and a sequence go together, since each minute has
 * one entry, and a minute is in its own day's blob.
 */
function readLines(
  blobs: readonly Blob[],
  cursor: Cursor | undefined,
): { bySequence: Map<number, Line>; odd: OddLine[] } {
  const all = blobs.flatMap(({ day, text }) =>
    text
      .split('\n')
      .filter((line, index, { length }) => line !== '' || index < length - 1)
      .map((text, index) => ({ day, line: index + 1, entry: readLine(text), hash: hashOf(text) })),
  );
  const offsetOf = ({ minute, sequence }: Pick<Entry, 'minute' | 'sequence'>) =>
    beginOf(minute) / MINUTE_MS - sequence;
  const known = cursor ?? all.map(({ entry }) => entry).find((entry) => entry !== 'unreadable');
  const followed = new Set(all.map(({ entry }) => (entry === 'unreadable' ? '' : entry.previous)));
  if (cursor !== undefined) followed.add(cursor.hash);

  const bySequence = new Map<number, Line>();
  const isOdd = new Set<number>();
  for (const [place, { day, entry, hash }] of all.entries()) {
    const fits =
      entry !== 'unreadable' &&
      dayOf(entry.minute) === day &&
      (known === undefined || offsetOf(entry) === offsetOf(known));
    if (!fits) {
      isOdd.add(place);
      continue;
    }
    const twin = bySequence.get(entry.sequence);
    // Of two for one minute, the one that another line follows is the entry.
    if (twin !== undefined && (followed.has(twin.hash) || !followed.has(hash))) isOdd.add(place);
    else {
      if (twin !== undefined) isOdd.add(twin.place);
      bySequence.set(entry.sequence, { entry, hash, place });
    }
  }
  let after: number | undefined;
  const odd: OddLine[] = [];
  for (const [place, { day, line, entry }] of all.entries()) {
    if (isOdd.has(place)) {
      odd.push({ day, line, after });
      if (after !== undefined) after += 1;
    } else if (entry !== 'unreadable') after = entry.sequence;
  }
  return { bySequence, odd };
}

/** Lines whose hash is not what the next believed line, or the cursor, says. The last lines may be beyond the cursor. */
function unbelieved(lines: readonly Line[], cursor: Cursor): readonly Line[] {
  const changed: Line[] = [];
  let expected: string | undefined;
  let following: number | undefined;
  for (const line of [...lines].reverse()) {
    const { sequence, previous } = line.entry;
    const isNext = following === undefined || following === sequence + 1;
    const known = isNext ? expected : undefined;
    const wanted = sequence === cursor.sequence ? cursor.hash : known;
    if (wanted === undefined || wanted === line.hash) expected = previous;
    else {
      changed.push(line);
      // What a changed line says of the one before it is not known to be true, unless that one agrees.
      const before = lines.find(({ entry }) => entry.sequence === sequence - 1);
      expected = before?.hash === previous ? previous : undefined;
    }
    following = sequence;
  }
  return changed;
}

/** The runs of numbers that follow each other. */
function runsOf(numbers: ReadonlySet<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

const DAY_MINUTES = 24 * 60;

/** The days whose blobs say something of a span of minutes: its own, those of the last look at it, and one more. */
export function daysFor(first: Minute, last: Minute, lookMinutes: number): Day[] {
  const end = dayOf(addMinutes(last, lookMinutes + DAY_MINUTES));
  const days: Day[] = [];
  for (let at = first; dayOf(at) <= end; at = addMinutes(at, DAY_MINUTES)) days.push(dayOf(at));
  return days;
}

/** The chain as a text: what follows a place in it, and what is written there. Nothing here asks anybody. */
import { type Entry, hashOf, lineOf, readLine } from './entry.ts';
import { addMinutes, type Day, dayOf, type Minute } from './minute.ts';
import type { Cursor } from './ports.ts';

/** So many minutes are closed together, where there are so many, and counted before any more are. */
export const MOST_MINUTES = 60;

/** An entry that follows the one before it, and where the chain is after it. */
export interface Link {
  readonly entry: Entry;
  readonly after: Cursor;
}

/** The blob that the next entry goes into, and where. It follows from the chain, and from no clock. */
export function nextPlace({ minute, position }: Cursor): { readonly day: Day; readonly position: number } {
  const day = dayOf(addMinutes(minute, 1));
  return { day, position: day === dayOf(minute) ? position : 0 };
}

const after = (entry: Entry, line: string, position: number): Cursor => ({
  sequence: entry.sequence,
  hash: hashOf(line),
  minute: entry.minute,
  position: position + line.length + 1,
  removedBefore: entry.removedBefore,
});

/** Why a line is not the next one of the chain, or undefined. */
export function unlinked(entry: Entry, last: Cursor): string | undefined {
  if (entry.sequence !== last.sequence + 1) return 'sequence';
  if (entry.previous !== last.hash) return 'previous';
  return entry.minute === addMinutes(last.minute, 1) ? undefined : 'minute';
}

export interface Followed {
  /** The entries that follow, one on another. */
  readonly links: readonly Link[];
  /** How many lines among them do not. */
  readonly foreign: number;
  /** Where the chain is after them. */
  readonly end: Cursor;
}
/** @param text of the blob in which the next entry is, from there to its end */
export function follow(text: string, from: Cursor): Followed {
  const links: Link[] = [];
  let { position } = nextPlace(from);
  let last = from;
  let foreign = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const entry = readLine(line);
    if (entry === 'unreadable' || unlinked(entry, last) !== undefined) foreign += 1;
    else {
      last = after(entry, line, position);
      links.push({ entry, after: last });
    }
    position += Buffer.byteLength(line) + 1;
  }
  // A line that does not follow takes room too.
  return { links, foreign, end: dayOf(last.minute) === nextPlace(from).day ? { ...last, position } : last };
}

/** What of an entry does not follow from the one before it. */
export interface Closed {
  readonly rows: number;
  readonly digest: string;
  readonly late: readonly { readonly minute: Minute; readonly rows: number; readonly digest: string }[];
}

/** The entries of the next minutes, in order, and their text. All are of one day. */
export function write(
  from: Cursor,
  at: string,
  removedBefore: Cursor['removedBefore'],
  minutes: readonly Closed[],
): { readonly links: readonly Link[]; readonly text: string } {
  const links: Link[] = [];
  let text = '';
  let { position } = nextPlace(from);
  let last = from;
  for (const { rows, digest, late } of minutes) {
    const minute = addMinutes(last.minute, 1);
    const { sequence, hash } = last;
    const entry: Entry = {
      sequence: sequence + 1,
      previous: hash,
      at,
      minute,
      rows,
      digest,
      late: [...late],
      removedBefore,
    };
    const line = lineOf(entry);
    last = after(entry, line, position);
    position = last.position;
    text += `${line}\n`;
    links.push({ entry, after: last });
  }
  return { links, text };
}

/**
 * An entry of the chain: one line of JSON in ASCII, with these members in this order and no blanks (infra/PROOF.md).
 * An entry's hash is the SHA-256 of its line without the line feed, and the next entry carries it, so that nothing
 * before an entry can change without a trace in it.
 */
import * as z from 'zod';
import { sha256 } from '../secret.ts';

export const hashShape = z.stringFormat('sha256', (text: string) => text.length === 64 && isHex(text));
const instant = z.iso.datetime();
export const minuteShape = z.stringFormat(
  'minute',
  (text: string) => text.length === 16 && instant.safeParse(`${text}:00Z`).success,
);

/** Rows of one minute: how many, and the SHA-256 of their list (ports.ts). */
const rows = { minute: minuteShape, rows: z.int().min(0), digest: hashShape };

export const entryShape = z.strictObject({
  sequence: z.int().min(1),
  previous: hashShape,
  /** When it was closed, by the clock of who closed it. */
  at: instant,
  ...rows,
  /** Rows of earlier minutes that came after those were closed. */
  late: z.array(z.strictObject(rows)),
  /** Rows of minutes before this one may be gone, because their time was over; '': none is. */
  removedBefore: z.literal('').or(minuteShape),
});
export type Entry = Readonly<z.infer<typeof entryShape>>;

/** What the first entry has in the place of an earlier one's hash. */
export const NO_HASH = '0'.repeat(64);

export function lineOf({ sequence, previous, at, late, removedBefore, ...closed }: Entry): string {
  return JSON.stringify({ sequence, previous, at, ...rowsOf(closed), late: late.map(rowsOf), removedBefore });
}
const rowsOf = ({ minute, rows, digest }: Pick<Entry, 'minute' | 'rows' | 'digest'>) => ({
  minute,
  rows,
  digest,
});

/** `unreadable`: it is not a line that this program writes, to the byte. */
export function readLine(line: string): Entry | 'unreadable' {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'unreadable';
  }
  const { data } = entryShape.safeParse(value);
  return data === undefined || lineOf(data) !== line ? 'unreadable' : data;
}

export const hashOf = (line: string): string => sha256(line);

function isHex(text: string): boolean {
  return [...text].every((digit) => '0123456789abcdef'.includes(digit));
}

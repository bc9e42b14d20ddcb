/**
 * An entry of the chain: one line of JSON in ASCII, with these members in this order and no blanks (infra/PROOF.md).
 * An entry's hash is the SHA-256 of its line without the line feed, and the next entry carries it, so that nothing
 * before an entry can change without a trace in it.
 */
import * as z from 'zod';
import { sha256 } from '../secret.ts';

const hash = z.stringFormat('sha256', (text: string) => text.length === 64 && isHex(text));
const minute = z.stringFormat(
  'minute',
  (text: string) => text.length === 16 && z.iso.datetime().safeParse(`${text}:00Z`).success,
);
const count = z.int().min(0);

/** Rows of one minute: how many, and the SHA-256 of their list (ports.ts). */
const rows = { minute, rows: count, digest: hash };
const links = { sequence: z.int().min(1), previous: hash, at: z.iso.datetime() };

/** A minute is closed. `late`: rows of earlier minutes that came after those were closed. */
const closing = z.strictObject({ ...links, ...rows, late: z.array(z.strictObject(rows)) });
/** From here on, rows of earlier minutes may be removed, because their time is over. */
const removal = z.strictObject({ ...links, removedBefore: minute });

export const entryShape = closing.or(removal);
export type Closing = Readonly<z.infer<typeof closing>>;
export type Removal = Readonly<z.infer<typeof removal>>;
export type Entry = Closing | Removal;

export const isClosing = (entry: Entry): entry is Closing => 'minute' in entry;

/** What the first entry has in the place of an earlier one's hash. */
export const NO_HASH = '0'.repeat(64);

export function lineOf(entry: Entry): string {
  const { sequence, previous, at } = entry;
  const links = { sequence, previous, at };
  if (!isClosing(entry)) return JSON.stringify({ ...links, removedBefore: entry.removedBefore });
  const rowsOf = ({ minute, rows, digest }: Pick<Closing, 'minute' | 'rows' | 'digest'>) => ({
    minute,
    rows,
    digest,
  });
  return JSON.stringify({ ...links, ...rowsOf(entry), late: entry.late.map(rowsOf) });
}

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

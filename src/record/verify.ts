/**
 * Compares a span of the audit with the chain: which rows and which entries are not as they were when their minutes
 * were closed. It reads nothing itself, so that it can be run over what the API answers and over the storage alike.
 */
import { sha256 } from '../secret.ts';
import { type Entry, hashOf } from './entry.ts';
import { addMinutes, type Day, type Minute, minutesBetween } from './minute.ts';
import type { Cursor, RowList } from './ports.ts';
import { listOf, readList } from './records-of.ts';
import { LAST_LOOK_MINUTES } from './retention.ts';
import { type Blob, type ChainFinding, walkChain } from './verify-chain.ts';

export interface FoundRow {
  readonly key: string;
  readonly digest: string;
}
export interface Evidence {
  readonly first: Minute;
  readonly last: Minute;
  /** The blobs from the first of these days to the last (verify-chain.ts says which are needed). */
  readonly days: { readonly first: Day; readonly last: Day };
  readonly blobs: readonly Blob[];
  readonly cursor: Cursor | undefined;
  /** As the entry says that the cursor is at: the cursor alone is not believed in this. */
  readonly removedBefore: Minute | '';
  /** Of the span. */
  readonly lists: readonly RowList[];
  readonly rows: readonly FoundRow[];
}
interface InMinute {
  readonly minute: Minute;
  readonly row: string;
}
export type RowFinding =
  | ({ readonly kind: 'row_changed' } & InMinute)
  | ({ readonly kind: 'row_removed' } & InMinute)
  | ({ readonly kind: 'row_inserted' } & InMinute)
  /** What the two rows hold was exchanged. */
  | ({ readonly kind: 'rows_swapped'; readonly with: string } & InMinute)
  /** The rows are as they were, and the list of them, which only serves to name them, is not. */
  | { readonly kind: 'list_changed'; readonly minute: Minute }
  /** The rows are not as they were, and neither is the list that would name them. */
  | { readonly kind: 'minute_changed'; readonly minute: Minute };
export type Finding =
  | ChainFinding
  | RowFinding
  /** A hash that was kept elsewhere is of no line of these days' chain. */
  | { readonly kind: 'known_missing'; readonly hash: string };

export interface LateRow extends InMinute {
  /** From the row's own time to the closing that found it; absent: no closing has found it yet. */
  readonly delaySeconds?: number;
}
export interface Verdict {
  /** Closed minutes of the span. */
  readonly minutes: number;
  /** Rows in them that are as they were closed. */
  readonly rows: number;
  /** Rows of the span in minutes of which no entry speaks: not closed yet, or before the chain began. */
  readonly unproved: number;
  /** The last minute that is closed. */
  readonly closedThrough: Minute | '';
  /** Rows of earlier minutes may be gone, because their time was over. */
  readonly removedBefore: Minute | '';
  readonly findings: readonly Finding[];
  readonly late: readonly LateRow[];
}

/** A row that was closed, as the entry says that it was. */
interface Known extends FoundRow {
  readonly entry: Entry;
}
interface Changed extends InMinute {
  readonly was: string;
  readonly is: string;
}
interface Part {
  readonly minute: Minute;
  readonly entry: Entry;
  readonly digest: string;
}

/** @param known a hash of these days' chain that was kept in other hands */
export function verify(evidence: Evidence, known?: string): Verdict {
  const { first, last, cursor, removedBefore } = evidence;
  const { entries, isLost, findings: ofChain } = walkChain(evidence.blobs, evidence.days, cursor);
  const findings: Finding[] = [...ofChain];
  const late: LateRow[] = [];
  const changed: Changed[] = [];
  const partsIn = partsByMinute([...entries.values()]);
  const lists = new Map(evidence.lists.map((list) => [`${list.minute} ${list.sequence}`, list.text]));
  const rowsIn = grouped(evidence.rows);
  // Rows that such an entry closed can be neither proved nor taken for inserted ones.
  const ofLost = new Set(
    evidence.lists
      .filter(({ sequence }) => isLost(sequence))
      .flatMap(({ text }) => readList(text).map(({ key }) => key)),
  );
  let minutes = 0;
  let proved = 0;
  let unproved = 0;

  for (const minute of minutesBetween(first, last)) {
    const rows = rowsIn.get(minute) ?? [];
    const isClosed = entries.has(minute);
    if (isClosed) minutes += 1;
    const { rows: closed, unlisted } = knownOf(partsIn.get(minute) ?? [], lists);
    const strange = rows.filter(({ key }) => !closed.has(key) && !ofLost.has(key));
    unproved += rows.filter(({ key }) => ofLost.has(key)).length;
    const isRemovable = minute < removedBefore;
    if (!isClosed) unproved += strange.length;
    else if (unlisted.length > 0) {
      // Rows whose list is gone are recognized where they are all that is left.
      if (unlisted.length === 1 && sha256(listOf(strange)) === unlisted[0]?.digest)
        findings.push({ kind: 'list_changed', minute });
      else if (!isRemovable || rows.length > 0) findings.push({ kind: 'minute_changed', minute });
    } else if ((cursor?.minute ?? '') < addMinutes(minute, LAST_LOOK_MINUTES))
      for (const { key } of strange) late.push({ minute, row: key });
    else for (const { key } of strange) findings.push({ kind: 'row_inserted', minute, row: key });

    const there = new Map(rows.map(({ key, digest }) => [key, digest]));
    for (const { key, digest, entry } of closed.values()) {
      const now = there.get(key);
      if (now === digest) proved += 1;
      else if (now !== undefined) changed.push({ minute, row: key, was: digest, is: now });
      else if (!isRemovable) findings.push({ kind: 'row_removed', minute, row: key });
      if (entry.minute !== minute) late.push({ minute, row: key, delaySeconds: delayOf(key, entry) });
    }
  }
  findings.push(...withSwaps(changed));
  const hasKnown = ({ text }: Blob) => text.split('\n').some((line) => hashOf(line) === known);
  if (known !== undefined && !evidence.blobs.some(hasKnown))
    findings.push({ kind: 'known_missing', hash: known });
  const closedThrough = cursor?.minute ?? '';
  return { minutes, rows: proved, unproved, closedThrough, removedBefore, findings, late };
}

function partsByMinute(entries: readonly Entry[]): ReadonlyMap<Minute, readonly Part[]> {
  const parts = new Map<Minute, Part[]>();
  for (const entry of entries)
    for (const { minute, digest } of [entry, ...entry.late])
      parts.set(minute, [...(parts.get(minute) ?? []), { minute, entry, digest }]);
  return parts;
}

/** The rows of a minute that its lists name, of the lists that are what was closed; and the parts without such a list. */
function knownOf(parts: readonly Part[], lists: ReadonlyMap<string, string>) {
  const known = new Map<string, Known>();
  const unlisted: Part[] = [];
  for (const part of parts) {
    const { minute, entry, digest } = part;
    const text = lists.get(`${minute} ${entry.sequence}`) ?? '';
    if (sha256(text) !== digest) unlisted.push(part);
    else for (const row of readList(text)) known.set(row.key, { ...row, entry });
  }
  return { rows: known, unlisted };
}

function grouped(rows: readonly FoundRow[]): ReadonlyMap<Minute, readonly FoundRow[]> {
  const groups = new Map<Minute, FoundRow[]>();
  for (const row of rows) {
    const minute = row.key.slice(0, MINUTE_CHARACTERS);
    const group = groups.get(minute);
    if (group === undefined) groups.set(minute, [row]);
    else group.push(row);
  }
  return groups;
}
const MINUTE_CHARACTERS = 16;
const SECOND_CHARACTERS = 19;

const delayOf = (key: string, { at }: Entry): number =>
  Math.round((Date.parse(at) - Date.parse(`${key.slice(0, SECOND_CHARACTERS)}Z`)) / 1_000);

/** Two changed rows of which each has what the other one had. */
function withSwaps(changed: readonly Changed[]): RowFinding[] {
  const findings: RowFinding[] = [];
  const waiting = new Map<string, Changed>();
  for (const one of changed) {
    const other = waiting.get(`${one.is} ${one.was}`);
    if (other === undefined) waiting.set(`${one.was} ${one.is}`, one);
    else {
      waiting.delete(`${one.is} ${one.was}`);
      findings.push({ kind: 'rows_swapped', minute: other.minute, row: other.row, with: one.row });
    }
  }
  for (const { minute, row } of waiting.values()) findings.push({ kind: 'row_changed', minute, row });
  return findings;
}

/** Reads what a verification of a span needs. It changes nothing, and may be given readers of the storage itself. */
import type { Minute } from './minute.ts';
import { dayOf } from './minute.ts';
import type { AuditRowReader, BooksReader, ProofReader } from './ports.ts';
import { digestOf } from './records-of.ts';
import { LAST_LOOK_MINUTES } from './retention.ts';
import type { Evidence, FoundRow } from './verify.ts';
import { daysFor, removedBeforeIn } from './verify-chain.ts';

export interface RecordReaders {
  readonly audit: AuditRowReader;
  readonly proof: ProofReader;
  readonly books: BooksReader;
}

/** The cursor is read first: the blobs, read later, then reach at least as far. @throws UpstreamFailure */
export async function gather(
  { audit, proof, books }: RecordReaders,
  first: Minute,
  last: Minute,
): Promise<Evidence> {
  const cursor = (await books.cursor())?.value;
  const days = daysFor(first, last, LAST_LOOK_MINUTES).filter((day) => day <= dayOf(cursor?.minute ?? last));
  const blobs = [];
  for (const day of days) {
    const text = await proof.read(day, 0);
    if (text !== '') blobs.push({ day, text });
  }
  const tail = cursor === undefined ? '' : dayOf(cursor.minute);
  const tailText =
    blobs.find(({ day }) => day === tail)?.text ?? (tail === '' ? '' : await proof.read(tail, 0));
  const lists = await books.lists(first, last);
  const rows: FoundRow[] = [];
  for await (const row of audit.rows(first, last)) rows.push({ key: row.key, digest: digestOf(row) });
  return {
    first,
    last,
    days: { first: days[0] ?? dayOf(first), last: days.at(-1) ?? dayOf(first) },
    blobs,
    cursor,
    removedBefore: cursor === undefined ? '' : removedBeforeIn(tailText, cursor),
    lists,
    rows,
  };
}

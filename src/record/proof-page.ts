/** The entries of a span of minutes, a page at a time, with what they follow and where the chain is now. */
import { type Entry, hashOf, readLine } from './entry.ts';
import { addMinutes, dayOf, type Minute, minutesBetween } from './minute.ts';
import type { BooksReader, ProofReader } from './ports.ts';

export interface ProofPage {
  readonly items: readonly (Entry & { readonly hash: string })[];
  readonly next?: Minute;
  /** The last entry that is counted; absent: none is yet. */
  readonly closedThrough?: Minute;
  readonly sequence?: number;
  readonly hash?: string;
  /** Rows of earlier minutes may be gone; absent: none is. */
  readonly removedBefore?: Minute;
}

/** @throws UpstreamFailure */
export async function proofPage(
  { proof, books }: { readonly proof: ProofReader; readonly books: BooksReader },
  {
    first,
    last,
    after,
  }: { readonly first: Minute; readonly last: Minute; readonly after: Minute | undefined },
  limit: number,
): Promise<ProofPage> {
  const cursor = (await books.cursor())?.value;
  if (cursor === undefined || cursor.sequence === 0) return { items: [] };
  const { sequence, hash, minute, removedBefore } = cursor;
  const state = {
    closedThrough: minute,
    sequence,
    hash,
    ...(removedBefore !== '' && { removedBefore }),
  };
  const from = after === undefined ? first : addMinutes(after, 1);
  const to = [last, minute].sort()[0] ?? last;
  // A page has a day and a bit at most, so that it reads three blobs at most.
  const most = addMinutes(from, limit - 1);
  const through = [to, most].sort()[0] ?? to;
  const days = new Set(minutesBetween(from, through).map(dayOf));
  const items: (Entry & { hash: string })[] = [];
  for (const day of days)
    for (const line of (await proof.read(day, 0)).split('\n')) {
      const entry = readLine(line);
      if (entry === 'unreadable' || entry.minute < from || entry.minute > through) continue;
      items.push({ ...entry, hash: hashOf(line) });
    }
  return through < to ? { items, next: through, ...state } : { items, ...state };
}

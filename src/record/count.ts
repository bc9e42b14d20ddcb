/**
 * Counts entries that are in the chain into the roll-ups, and moves the cursor beyond them. Each roll-up says through
 * which entry it is counted, and is written on its ETag. So whoever does this again, at the same time or after a death
 * in the middle, adds nothing twice; and since the cursor moves last, nobody counts the next entries before.
 */
import * as z from 'zod';
import { each } from '../each.ts';
import { UpstreamFailure } from '../upstream.ts';
import { Cells } from './cell-shape.ts';
import type { Link } from './chain.ts';
import type { Books, Cursor, RollUpKey, RowList, Versioned } from './ports.ts';
import type { ReadMinute } from './read-minutes.ts';
import { type Counted, rollUpsOf } from './records-of.ts';

/** What an entry counts, stored before the entry is, because afterwards the audit may have other rows. */
export type Draft = Pick<ReadMinute, 'lists' | 'counted'>;

const text = z.string();
const draftShape = z.strictObject({
  lists: z.array(z.strictObject({ minute: text, text })),
  counted: z.array(
    z.strictObject({
      resource: text,
      hour: text,
      tenantId: text,
      clientId: text,
      objectId: text,
      grant: text,
      kind: text,
      outcome: text,
      reason: text,
      count: z.int(),
      lastAtMs: z.int(),
    }),
  ),
});
export const draftText = ({ lists, counted }: Draft): string => JSON.stringify({ lists, counted });

/** `undefined`: it is not whole, because somebody who has counted it is removing it. */
export function readDraft(stored: string): Draft | undefined {
  try {
    return draftShape.safeParse(JSON.parse(stored)).data;
  } catch {
    return undefined;
  }
}

/**
 * @param drafts of the entries that close a row, by sequence
 * @returns `changed`: somebody else has moved the cursor
 */
export async function count(
  books: Books,
  cursor: Versioned<Cursor>,
  links: readonly Link[],
  to: Cursor,
  drafts: ReadonlyMap<number, Draft>,
): Promise<'written' | 'changed'> {
  const additions = new Map<string, { key: RollUpKey; cells: [number, Counted][] }>();
  const closed: RowList[] = [];
  for (const { entry } of links) {
    const { lists, counted } = drafts.get(entry.sequence) ?? { lists: [], counted: [] };
    closed.push(...lists.map((list) => ({ ...list, sequence: entry.sequence })));
    for (const cell of counted)
      for (const key of rollUpsOf(cell)) {
        const name = `${key.per}:${key.resource}:${key.at}`;
        const addition = additions.get(name) ?? { key, cells: [] };
        addition.cells.push([entry.sequence, cell]);
        additions.set(name, addition);
      }
  }
  await each(closed, AT_ONCE, books.putList);
  await each(additions.values(), AT_ONCE, ({ key, cells }) => add(books, key, cells, to.sequence));
  const moved = await books.moveCursor(to, cursor.etag);
  // Also those of closers who came second: what is counted has no draft any more.
  if (moved === 'written' && drafts.size > 0) await books.removeDrafts(to.sequence);
  return moved;
}

/** One after another, they would take most of the time of closing. */
export const AT_ONCE = 16;

/** Closers who meet at one row let each other pass once or twice; more is no meeting any more. */
const MAX_MEETINGS = 10;

async function add(
  books: Books,
  key: RollUpKey,
  additions: readonly (readonly [number, Counted])[],
  through: number,
): Promise<void> {
  for (let meeting = 0; meeting < MAX_MEETINGS; meeting += 1) {
    const found = await books.rollUp(key);
    const counted = found?.value.through ?? 0;
    if (counted >= through) return;
    const cells = found === undefined ? new Cells() : Cells.read(found.value.cells);
    for (const [sequence, cell] of additions) if (sequence > counted) cells.add(cell);
    const written = await books.putRollUp({ ...key, through, cells: cells.text() }, found?.etag);
    if (written === 'written') return;
  }
  throw new UpstreamFailure('tables', 'a roll-up keeps changing');
}

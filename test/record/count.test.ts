import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cells } from '../../src/record/cell-shape.ts';
import { type Link, write } from '../../src/record/chain.ts';
import { count, type Draft, draftText, readDraft } from '../../src/record/count.ts';
import { NO_HASH } from '../../src/record/entry.ts';
import type { Cursor } from '../../src/record/ports.ts';
import type { Counted } from '../../src/record/records-of.ts';
import { portsTo, Storage } from './storage.ts';

const from: Cursor = {
  sequence: 0,
  hash: NO_HASH,
  minute: '2026-11-26T01:19',
  position: 0,
  removedBefore: '',
};
const granted: Counted = {
  resource: 'speech',
  hour: '2026-11-26T01',
  tenantId: 't',
  clientId: 'c',
  objectId: 'o',
  grant: 'g',
  kind: 'sts',
  outcome: 'granted',
  reason: '',
  count: 1,
  lastAtMs: 5,
};
/** Three minutes, of which each has one exchange. */
const { links } = write(
  from,
  '2026-11-26T01:30:00.000Z',
  '',
  [1, 2, 3].map((digit) => ({ rows: 1, digest: String(digit).repeat(64), late: [] })),
);
const draftOf = ({ entry }: Link): Draft => ({
  lists: [{ minute: entry.minute, text: `${entry.minute}:00 x\n` }],
  counted: [granted],
});
const drafts = new Map(links.map((link) => [link.entry.sequence, draftOf(link)]));

async function counted(
  storage: Storage,
  some: readonly Link[],
  etag?: string,
): Promise<'written' | 'changed'> {
  const { books } = portsTo(storage);
  const cursor = { value: from, etag: etag ?? storage.cursor?.etag ?? '' };
  const to = some.at(-1)?.after ?? from;
  const own = new Map(
    [...drafts].filter(([sequence]) => some.some(({ entry }) => entry.sequence === sequence)),
  );
  return count(books, cursor, some, to, own);
}
const sums = ({ rollUps }: Storage): number[] =>
  [...rollUps.values()].map(({ value }) =>
    [...Cells.read(value.cells).values()].reduce((sum, cell) => sum + cell.count, 0),
  );
async function begun(): Promise<Storage> {
  const storage = new Storage();
  await portsTo(storage).books.moveCursor(from, undefined);
  return storage;
}

test('whoever counts an entry again, alone or with others, adds it once', async () => {
  for (const turns of [
    [links.slice(0, 1), links],
    [links.slice(0, 2), links.slice(0, 1), links],
    [links, links.slice(0, 2), links.slice(0, 1)],
    [links, links],
  ]) {
    const storage = await begun();
    // Each of them has read the cursor before any of them moved it.
    const etag = storage.cursor?.etag ?? assert.fail();
    const ends: string[] = [];
    for (const some of turns) ends.push(await counted(storage, some, etag));
    assert.deepEqual(ends, ['written', ...turns.slice(1).map(() => 'changed')]);
    assert.deepEqual(sums(storage), [3, 3], 'of the hour and of the day');
    assert.equal(storage.lists.all().length, 3);
  }
});

test('a roll-up that keeps changing is an outage, and the cursor stays', async () => {
  const storage = await begun();
  const { books } = portsTo(storage);
  const cursor = storage.cursor ?? assert.fail();
  const busy = { ...books, putRollUp: async () => 'changed' as const };
  await assert.rejects(count(busy, cursor, links, links.at(-1)?.after ?? from, drafts), {
    service: 'tables',
  });
  assert.equal(storage.cursor?.value.sequence, 0);
});

test('a draft that is not whole is none', () => {
  const link = links[0] ?? assert.fail();
  const text = draftText(draftOf(link));
  assert.deepEqual(readDraft(text), draftOf(link));
  for (const other of ['', text.slice(0, -1), '{}', text.replace('"count":1', '"count":"1"')])
    assert.equal(readDraft(other), undefined);
});

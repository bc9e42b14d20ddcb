/** The books in Azurite: each write on its condition, texts of any length, a span in few calls. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTables } from '../../src/azure/tables.ts';
import { createBooks } from '../../src/azure/usage-table.ts';
import type { Books, Cursor, RollUp } from '../../src/record/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startAzurite } from './azurite.ts';
import { type Answered, startUpstream } from './upstream-server.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let books: Books;
before(async () => {
  azurite = await startAzurite();
  // Loads the SDK, which on a busy machine takes longer than a call may.
  await azurite.tables('usage');
  books = createBooks(azurite.tables);
});
after(() => azurite[Symbol.asyncDispose]());

const cursorAt = (sequence: number): Cursor => ({
  sequence,
  hash: 'a'.repeat(64),
  minute: '2026-11-26T01:20',
  position: sequence * 300,
  removedBefore: '',
});
const rollUpOf = (resource: string, at: string, through = 1, cells = 'c'): RollUp => ({
  per: at.length === 10 ? 'day' : 'hour',
  resource,
  at,
  through,
  cells,
});

test('the cursor is made once and moved by whoever read it last', async () => {
  assert.equal(await books.cursor(), undefined);
  assert.equal(await books.moveCursor(cursorAt(0), undefined), 'written');
  assert.equal(await books.moveCursor(cursorAt(9), undefined), 'changed');
  const found = await books.cursor();
  assert.deepEqual(found?.value, cursorAt(0));
  assert.equal(await books.moveCursor(cursorAt(2 ** 40), found?.etag), 'written');
  assert.equal(await books.moveCursor(cursorAt(3), found?.etag), 'changed');
  assert.deepEqual((await books.cursor())?.value, cursorAt(2 ** 40));
});

test('a roll-up is written on the version that was read, however long it is', async () => {
  const key = { per: 'hour', resource: 'speech', at: '2026-11-26T01' } as const;
  assert.equal(await books.rollUp(key), undefined);
  const long = 'x'.repeat(399_999);
  assert.equal(await books.putRollUp({ ...key, through: 7, cells: long }, undefined), 'written');
  assert.equal(await books.putRollUp({ ...key, through: 8, cells: '' }, undefined), 'changed');
  const found = await books.rollUp(key);
  assert.deepEqual(
    { ...found?.value, cells: found?.value.cells.length },
    { ...key, through: 7, cells: long.length },
  );
  assert.ok(found?.value.cells === long);
  assert.equal(await books.putRollUp({ ...key, through: 8, cells: 'short' }, found?.etag), 'written');
  assert.equal(await books.putRollUp({ ...key, through: 9, cells: '' }, found?.etag), 'changed');
  assert.equal((await books.rollUp(key))?.value.cells, 'short', 'and nothing of the longer one is left');
});

test('a span of roll-ups comes in the order of resource and time, a page after the other, and of one resource alone', async () => {
  const hours = ['2026-10-01T00', '2026-10-01T01', '2026-10-01T02'];
  for (const resource of ['', 'a', 'a-b', 'b'])
    for (const at of [...hours, '2026-10-01']) await books.putRollUp(rollUpOf(resource, at), undefined);
  const span = {
    per: 'hour',
    first: '2026-10-01T00',
    last: '2026-10-01T01',
    after: undefined,
    calls: 20,
  } as const;
  const names = (items: readonly RollUp[]) => items.map(({ resource, at }) => `${resource} ${at.slice(-2)}`);
  const all = await books.rollUps({ ...span, resource: undefined });
  assert.deepEqual(names(all.items), [' 00', ' 01', 'a 00', 'a 01', 'a-b 00', 'a-b 01', 'b 00', 'b 01']);
  assert.equal(all.next, undefined);
  assert.deepEqual(names((await books.rollUps({ ...span, resource: 'a' })).items), ['a 00', 'a 01']);
  assert.deepEqual(names((await books.rollUps({ ...span, resource: "a' or PartitionKey ne '" })).items), []);
  const after = { per: 'hour', resource: 'a-b', at: '2026-10-01T00' } as const;
  assert.deepEqual(names((await books.rollUps({ ...span, resource: undefined, after })).items), [
    'a-b 01',
    'b 00',
    'b 01',
  ]);
});

test('more roll-ups than the calls allow are gone on with where they ended, each once', async () => {
  const table = await azurite.tables('usage');
  for (let batch = 0; batch < 12; batch += 1)
    await table.submitTransaction(
      Array.from({ length: 100 }, (_, index) => [
        'create',
        {
          partitionKey: 'day:many',
          rowKey: String(batch * 100 + index).padStart(6, '0'),
          through: { type: 'Int64', value: '1' },
          cells0: 'c',
        },
      ]),
    );
  const span = { per: 'day', resource: 'many', first: '', last: '9', calls: 1 } as const;
  const one = await books.rollUps({ ...span, after: undefined });
  assert.ok(one.items.length === 1000 && one.next !== undefined);
  const two = await books.rollUps({ ...span, after: one.next });
  assert.equal(two.items.length, 200);
  assert.equal(two.next, undefined);
  assert.equal(new Set([...one.items, ...two.items].map(({ at }) => at)).size, 1200);
});

test('a list of any length comes back whole, once however often it was put, by minute and entry', async () => {
  const long = 'key of a row and its digest, sixty-four digits\n'.repeat(20_000);
  const lists = [
    { minute: '2026-11-26T01:20', sequence: 5, text: long },
    { minute: '2026-11-26T01:20', sequence: 11, text: 'late\n' },
    { minute: '2026-11-26T01:21', sequence: 6, text: 'next\n' },
  ];
  for (const list of [...lists, ...lists]) await books.putList(list);
  assert.deepEqual(await books.lists('2026-11-26T01:20', '2026-11-26T01:21'), lists);
  assert.deepEqual(await books.lists('2026-11-26T01:21', '2026-11-26T01:21'), lists.slice(2));
  assert.deepEqual(await books.oldestLists('2026-11-26T01:21', 60), lists.slice(0, 2));
  assert.deepEqual(
    await books.oldestLists('2026-11-27T00:00', 2),
    lists.slice(0, 2),
    'each whole, and not a third',
  );
  assert.deepEqual(await books.oldestLists('2026-11-26T01:20', 60), []);
  await books.removeLists(lists.slice(0, 2));
  await books.removeLists(lists.slice(0, 2));
  assert.deepEqual(await books.lists('2026-11-26T00:00', '2026-11-27T00:00'), lists.slice(2));
});

test('a draft is its maker’s, and those of entries that are counted go, whoever made them', async () => {
  const [one, other] = ['1'.repeat(64), '2'.repeat(64)];
  const long = 'x'.repeat(900_000);
  await books.putDraft(5, one, long);
  await books.putDraft(5, other, 'other');
  await books.putDraft(6, one, 'next');
  assert.ok((await books.draft(5, one)) === long);
  assert.equal(await books.draft(5, other), 'other');
  assert.equal(await books.draft(4, one), undefined);
  await books.removeDrafts(5);
  assert.equal(await books.draft(5, one), undefined);
  assert.equal(await books.draft(5, other), undefined);
  assert.equal(await books.draft(6, one), 'next');
});

test('old hours go, so many at a time, and days stay', async () => {
  for (const at of ['2025-01-01T00', '2025-01-01T01', '2025-01-01T02', '2025-01-01'])
    await books.putRollUp(rollUpOf('old', at), undefined);
  assert.equal(await books.removeHours('2025-01-01T02', 1), 1);
  assert.equal(await books.removeHours('2025-01-01T02', 100), 1);
  assert.equal(await books.removeHours('2025-01-01T02', 100), 0);
  const span = { resource: 'old', first: '2025', last: '2026', after: undefined, calls: 20 } as const;
  assert.equal((await books.rollUps({ ...span, per: 'hour' })).items.length, 1);
  assert.equal((await books.rollUps({ ...span, per: 'day' })).items.length, 1);
});

const outages: readonly [string, Answered][] = [
  ['garbage', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ['a missing table', { status: 404, body: { 'odata.error': { code: 'TableNotFound' } } }],
  ['a refusal', { status: 403 }],
  ['trouble', { status: 500 }],
  ['a dropped connection', 'drops'],
];
for (const [what, answer] of outages)
  test(`${what} is an outage for every question and every write, and never an empty book`, async () => {
    await using upstream = await startUpstream(() => answer);
    const broken = createBooks(
      createTables(`${upstream.url}/devstoreaccount1`, {
        getToken: () => Promise.reject(new Error('unasked')),
      }),
    );
    const key = { per: 'hour', resource: 'speech', at: '2026-11-26T01' } as const;
    const asked: [string, () => Promise<unknown>][] = [
      ['cursor', broken.cursor],
      ['lists', () => broken.lists('2026-11-26T01:20', '2026-11-26T01:21')],
      ['roll-ups', () => broken.rollUps({ ...key, first: '', last: '9', after: undefined, calls: 3 })],
      ['roll-up', () => broken.rollUp(key)],
      ['draft', () => broken.draft(1, 'a')],
      ['put a draft', () => broken.putDraft(1, 'a', 'text')],
      ['put a list', () => broken.putList({ minute: '2026-11-26T01:20', sequence: 1, text: 'a' })],
      ['oldest lists', () => broken.oldestLists('2026-11-26T01:20', 1)],
      ['remove hours', () => broken.removeHours('2026', 1)],
      ['remove drafts', () => broken.removeDrafts(1)],
      ['begin the cursor', () => broken.moveCursor(cursorAt(1), undefined)],
    ];
    // A 404 on a write that has a condition says that the row is gone, of whichever table it is.
    if (what !== 'a missing table')
      asked.push(
        ['move the cursor', () => broken.moveCursor(cursorAt(1), 'W/"1"')],
        ['put a roll-up', () => broken.putRollUp(rollUpOf('a', '2026-11-26T01'), 'W/"1"')],
      );
    await Promise.all(asked.map(([name, ask]) => assert.rejects(ask(), UpstreamFailure, name)));
  });

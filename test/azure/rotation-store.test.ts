import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPlanReader } from '../../src/azure/plan-table.ts';
import { createPublishedRows, createRotationStore } from '../../src/azure/rotation-store.ts';
import { createTables } from '../../src/azure/tables.ts';
import {
  type HistoryEntry,
  type PublishedRow,
  type StoredRow,
  UNMARKED,
  unseen,
} from '../../src/rotation/state.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startAzurite } from './azurite.ts';
import { startUpstream } from './upstream-server.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite[Symbol.asyncDispose]());
const store = () => createRotationStore(azurite.tables);
const history = () => createPlanReader(azurite.tables);
const published = () => createPublishedRows(azurite.tables);

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0, 7);
function working(account: string): StoredRow {
  const row = unseen(account, NOW_MS);
  const entry: HistoryEntry = {
    account,
    fence: 3,
    atMs: NOW_MS,
    by: 'test/1',
    from: 'draining (Key1)',
    to: 'regenerating (Key1)',
    why: 'nothing lives',
    tookMs: 60_000,
    emergency: false,
  };
  return {
    ...row,
    lease: { holder: 'test/1', fence: 3, takenAtMs: NOW_MS },
    last: entry,
    state: {
      ...row.state,
      generation: 4,
      epoch: 2,
      retiring: 'Key1',
      active: 'Key2',
      secret: 'speech-key',
      secretVersion: 'v7',
      rotatedAtMs: NOW_MS - 1,
      bornAtMs: { Key2: NOW_MS - 2 },
      blocked: { code: 'service_fails', detail: 'arm: down (status 500)' },
      healing: { what: 'secret absent', attempts: 3, notBeforeMs: NOW_MS },
      marksTaken: { Key2: 1 },
      demands: ['one'],
      work: {
        slot: 'Key1',
        emergency: false,
        queue: [{ slot: 'Key2', emergency: false }],
        reason: "somebody's",
        completes: true,
        startedAtMs: NOW_MS,
        phaseAtMs: NOW_MS,
        attempts: 2,
        notBeforeMs: NOW_MS + 1,
        problem: { code: 'key_refused' },
        phase: { name: 'regenerating', before: '0123456789abcdef' },
      },
    },
  };
}

function shown(account: string): PublishedRow {
  const marks = { ...UNMARKED, Key1: { count: 2, demand: 'two' } };
  return { ...working(account), last: undefined, marks, moved: true };
}

async function first(row: StoredRow): Promise<{ readonly etag: string }> {
  const written = await store().write(row);
  assert.ok(written !== 'moved');
  return written;
}

test('a row comes back as it was written, and all of them in one query', async () => {
  for (const row of [working('round-trip'), unseen('fresh', NOW_MS)]) {
    const { etag } = await first(row);
    const { etag: read, ...rest } = (await store().read(row.account)) as StoredRow;
    const { etag: _, ...written } = row;
    assert.equal(read, etag);
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), JSON.parse(JSON.stringify(written)));
  }
  const all = await store().all();
  assert.ok(typeof all.get('round-trip') === 'object' && typeof all.get('fresh') === 'object');
  assert.equal(await store().read('no such row'), undefined);
});

test('a row is written only if nobody wrote it in between, and made only once', async () => {
  const row = working('conditional');
  const { etag } = await first(row);
  assert.equal(await store().write(row), 'moved');
  const next = await store().write({ ...row, etag });
  assert.notEqual(next, 'moved');
  assert.equal(await store().write({ ...row, etag }), 'moved');
});

test('a problem that a row holds in words, as rows once did, is read by its code where that is known', async () => {
  await store().write(working('words'));
  const table = await azurite.tables('rotation');
  const keep = async (blocked: string, problem: string) => {
    const { work } = working('words').state;
    const row = { blocked, work: JSON.stringify({ ...work, problem }) };
    await table.updateEntity({ partitionKey: 'rotation', rowKey: 'words', ...row }, 'Merge');
    const read = await store().read('words');
    assert.ok(typeof read === 'object');
    return [read.state.blocked, read.state.work?.problem];
  };
  const switchedOff = 'the account has keys switched off (disableLocalAuth): nothing to rotate';
  assert.deepEqual(await keep(switchedOff, 'the key is refused'), [
    { code: 'keys_switched_off' },
    { code: 'key_refused' },
  ]);
  const words = { code: 'in_words', detail: 'arm: listKeys (status 500)' };
  assert.deepEqual(await keep(words.detail, words.detail), [words, words]);
});

test('a published row comes back as it was written, also one of the version with one app', async () => {
  for (const row of [shown('shown'), { ...working('of-one-app'), marks: UNMARKED, moved: false }]) {
    const written = await published().write(row);
    assert.ok(written !== 'moved');
    assert.equal(await published().write(row), 'moved');
    assert.deepEqual(await published().read(row.account), { ...row, etag: written.etag });
    assert.deepEqual((await published().all()).get(row.account), { ...row, etag: written.etag });
  }
  assert.equal(await store().read('shown'), undefined);
});

test('a row of the version with one app has no marks, and that version cannot read one that was moved', async () => {
  await published().write(shown('moved'));
  const table = await azurite.tables('state');
  const entity = await table.getEntity('rotation', 'moved');
  assert.throws(() => JSON.parse(String(entity['last'])), SyntaxError);
  const { marksKey1: _, marksKey2: __, demandKey1: ___, demandKey2: ____, ...old } = entity;
  const { marksTaken: _____, demands: ______, ...older } = old;
  await table.updateEntity({ ...older, partitionKey: 'rotation', rowKey: 'moved', last: '' }, 'Replace');
  const read = await published().read('moved');
  assert.ok(typeof read === 'object');
  assert.deepEqual([read.moved, read.marks, read.state.demands], [false, UNMARKED, []]);
});

test('a published row is removed, and removing it again is no error', async () => {
  await published().write(shown('removed'));
  await published().remove('removed');
  await published().remove('removed');
  assert.equal(await published().read('removed'), undefined);
});

test('a row and a history of before the tables had the account’s key are read', async () => {
  const { last, account: _, ...row } = working('old');
  assert.ok(last);
  const { account: __, ...told } = last;
  const entry = JSON.stringify({ ...told, resource: 'old' });
  await store().write({ ...row, account: 'old', last: undefined });
  const table = await azurite.tables('rotation');
  await table.updateEntity({ partitionKey: 'rotation', rowKey: 'old', last: entry }, 'Merge');
  const read = await store().read('old');
  assert.ok(typeof read === 'object');
  assert.deepEqual(read.last, last);
  const steps = await azurite.tables('history');
  await steps.createEntity({ partitionKey: 'old', rowKey: '1', entry });
  assert.deepEqual(await history().history('old', 1), [last]);
});

test('of drivers that write the same row at once one does', async () => {
  const row = working('raced');
  const { etag } = await first(row);
  const written = await Promise.all([1, 2, 3].map(() => store().write({ ...row, etag })));
  assert.equal(written.filter((one) => one !== 'moved').length, 1);
});

test('what the exchange reads of a row has its columns', async () => {
  await published().write(shown('columns'));
  const table = await azurite.tables('state');
  const entity = await table.getEntity('rotation', 'columns');
  const { generation, retiring, epoch, active, secret, secretVersion } = entity;
  assert.deepEqual([generation, retiring, epoch], [4, 'Key1', 2]);
  assert.deepEqual([active, secret, secretVersion], ['Key2', 'speech-key', 'v7']);
});

test('a row that somebody edited beyond reading is told apart and hides no other', async () => {
  await store().write(working('edited'));
  const table = await azurite.tables('rotation');
  await table.updateEntity({ partitionKey: 'rotation', rowKey: 'edited', work: '{"phase":' }, 'Merge');
  assert.equal(await store().read('edited'), 'unreadable');
  const all = await store().all();
  assert.equal(all.get('edited'), 'unreadable');
  assert.ok([...all.values()].some((row) => typeof row === 'object'));
  await table.deleteEntity('rotation', 'edited');
});

test('the history is the newest first, a step written twice is there once, and resources are apart', async () => {
  const entry = working('told').last ?? assert.fail();
  for (const fence of [1, 2, 2, 10, 3]) await store().record({ ...entry, fence });
  await store().record({ ...entry, account: "told' or PartitionKey ne '", fence: 99 });
  assert.deepEqual(
    (await history().history('told', 10)).map(({ fence }) => fence),
    [10, 3, 2, 1],
  );
  assert.deepEqual(
    (await history().history('told', 2)).map(({ fence }) => fence),
    [10, 3],
  );
  assert.deepEqual(
    (await history().history("told' or PartitionKey ne '", 5)).map(({ fence }) => fence),
    [99],
  );
});

test('tables that do not answer are an outage, and a write is sent once: its answer may only be lost', async () => {
  await using upstream = await startUpstream(() => 'drops');
  const tables = createTables(`${upstream.url}/devstoreaccount1`, {
    getToken: () => Promise.reject(new Error('not asked on loopback')),
  });
  const down = createRotationStore(tables);
  await assert.rejects(down.write(working('lost')), UpstreamFailure);
  assert.equal(upstream.asked.length, 1);
  await assert.rejects(down.all(), UpstreamFailure);
  await assert.rejects(down.read('lost'), UpstreamFailure);
});

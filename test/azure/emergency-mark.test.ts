import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEmergencyMark } from '../../src/azure/emergency-mark.ts';
import { createPublishedRows } from '../../src/azure/rotation-store.ts';
import { createTables } from '../../src/azure/tables.ts';
import { type PublishedRow, UNMARKED, unseen } from '../../src/rotation/state.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startAzurite } from './azurite.ts';
import { startUpstream } from './upstream-server.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite[Symbol.asyncDispose]());

let bumps = 0;
const head = {
  bump: async () => {
    bumps += 1;
  },
};
const marker = () => createEmergencyMark(azurite.tables, head);
const published = () => createPublishedRows(azurite.tables);

async function shown(account: string, change: Partial<PublishedRow> = {}): Promise<PublishedRow> {
  const { state, ...row } = unseen(account, Date.UTC(2026, 10, 22));
  const adopted = { ...state, generation: 3, epoch: 2, active: 'Key2', secret: 'speech-key' } as const;
  const wanted = { ...row, state: adopted, marks: UNMARKED, moved: true, ...change };
  const written = await published().write(wanted);
  assert.ok(written !== 'moved');
  return { ...wanted, etag: written.etag };
}
async function read(account: string): Promise<PublishedRow> {
  const row = await published().read(account);
  assert.ok(typeof row === 'object');
  return row;
}

test('a mark raises the epoch, forbids the slot, names the demand and then bumps the head; all else stays', async () => {
  await shown('marked');
  const { etag: _, ...before } = await read('marked');
  const earlier = bumps;
  assert.deepEqual(await marker().mark('marked', undefined, 'one'), { slot: 'Key2' });
  const { etag: __, ...row } = await read('marked');
  const marks = { ...UNMARKED, Key2: { count: 1, demand: 'one' } };
  assert.deepEqual(row, { ...before, marks, state: { ...before.state, epoch: 3, retiring: 'Key2' } });
  assert.equal(bumps, earlier + 1);
});

test('marks are counted by slot, and a mark of the other slot does not lift that of the active one', async () => {
  await shown('counted');
  for (const demand of ['one', 'two']) await marker().mark('counted', 'Key2', demand);
  assert.deepEqual(await marker().mark('counted', 'Key1', 'three'), { slot: 'Key1' });
  const { marks, state } = await read('counted');
  assert.deepEqual(marks, { Key1: { count: 1, demand: 'three' }, Key2: { count: 2, demand: 'two' } });
  assert.deepEqual([state.epoch, state.retiring], [5, 'Key2']);
});

test('of a demand that no issuer of ours has named nothing is remembered: the rotation’s row could not hold it', async () => {
  await shown('named-by-others');
  await marker().mark('named-by-others', 'Key2', 'x'.repeat(30_000));
  const { marks } = await read('named-by-others');
  assert.deepEqual(marks.Key2, { count: 1, demand: '' });
});

test('of marks that are set at once none is lost', async () => {
  await shown('raced');
  await Promise.all(['one', 'two', 'three', 'four'].map((demand) => marker().mark('raced', 'Key2', demand)));
  const { marks, state } = await read('raced');
  assert.deepEqual([marks.Key2.count, state.epoch], [4, 6]);
});

test('nothing is marked where no rotator works on the account yet', async () => {
  const earlier = bumps;
  await shown('of-one-app', { moved: false });
  await shown('not-adopted', { state: unseen('not-adopted', 0).state });
  for (const account of ['of-one-app', 'not-adopted', 'no such row'])
    assert.equal(await marker().mark(account, 'Key1', 'one'), 'unmarked');
  assert.deepEqual((await read('of-one-app')).state.retiring, undefined);
  assert.equal(bumps, earlier);
});

test('a row that somebody keeps writing is an outage after a bounded number of tries', async () => {
  const row = await shown('contended');
  let reads = 0;
  const tables: typeof azurite.tables = async (name) => {
    reads += 1;
    // Each second call is the conditional write: somebody else is faster.
    if (reads % 2 === 0) {
      const { etag } = await read('contended');
      await published().write({ ...row, etag });
    }
    return azurite.tables(name);
  };
  await assert.rejects(createEmergencyMark(tables, head).mark('contended', 'Key1', 'one'), UpstreamFailure);
  assert.equal(reads, 20);
});

test('tables that do not answer, and a row that somebody edited beyond reading, are an outage', async () => {
  await using upstream = await startUpstream(() => 'drops');
  const tables = createTables(`${upstream.url}/devstoreaccount1`, {
    getToken: () => Promise.reject(new Error('not asked on loopback')),
  });
  await assert.rejects(createEmergencyMark(tables, head).mark('a', 'Key1', 'one'), UpstreamFailure);
  await shown('edited');
  const table = await azurite.tables('state');
  await table.updateEntity({ partitionKey: 'rotation', rowKey: 'edited', marksKey1: 'many' }, 'Merge');
  await assert.rejects(marker().mark('edited', 'Key1', 'one'), UpstreamFailure);
  assert.equal(await published().read('edited'), 'unreadable');
});

test('a row that was edited beyond reading is repaired, and no other, and none that somebody repaired before', async () => {
  const row = await shown('repaired');
  assert.equal(await published().repair(row), 'moved');
  const table = await azurite.tables('state');
  for (const marksKey1 of [-1, 2_000_000_000, 'many']) {
    await table.updateEntity({ partitionKey: 'rotation', rowKey: 'repaired', marksKey1 }, 'Merge');
    assert.equal(await published().read('repaired'), 'unreadable');
    assert.ok((await published().repair(row)) !== 'moved');
    assert.deepEqual((await read('repaired')).marks, UNMARKED);
  }
});

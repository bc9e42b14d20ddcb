import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createDemandBook, createDemandStore } from '../../src/azure/demand-table.ts';
import type { Demand } from '../../src/demand/demand.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startAzurite } from './azurite.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite[Symbol.asyncDispose]());
const book = () => createDemandBook(azurite.tables);
const store = () => createDemandStore(azurite.tables);
const AT_MS = Date.UTC(2026, 10, 26, 9);
function demand(over: Partial<Demand> = {}): Demand {
  return {
    id: crypto.randomUUID(),
    resource: 'speech',
    slot: 'Key2',
    emergency: true,
    reason: "it's leaked",
    who: 'olga',
    correlationId: 'c0ffee',
    at: new Date(AT_MS).toISOString(),
    state: 'waiting',
    why: '',
    ...over,
  };
}
async function inserted(over: Partial<Demand> = {}) {
  const made = demand(over);
  await book().insert(made, 'an account');
  return (await store().find(made.id)) ?? assert.fail();
}

describe('a demand', () => {
  test('comes back as it was inserted, and a repeated insert leaves what has become of it', async () => {
    const made = demand();
    await book().insert(made, 'an account');
    const { etag, takenAtMs, account, ...rest } = (await store().find(made.id)) ?? assert.fail();
    assert.deepEqual([rest, takenAtMs, typeof etag, account], [made, 0, 'string', 'an account']);
    await store().write({ ...rest, etag, takenAtMs: 5, state: 'begun' });
    await book().insert(made, 'an account');
    assert.equal((await book().find(made.id))?.state, 'begun');
  });

  test('without a slot has none, and one that nobody placed is not there', async () => {
    const { slot: _, ...rest } = demand();
    await book().insert(rest, 'an account');
    assert.equal((await book().find(rest.id))?.slot, undefined);
    assert.equal(await book().find(crypto.randomUUID()), undefined);
  });

  test('is taken by one of two rotators that read the same row', async () => {
    const row = await inserted();
    const taken = await Promise.all([1, 2].map((takenAtMs) => store().write({ ...row, takenAtMs })));
    assert.equal(taken.filter((one) => one === 'moved').length, 1);
    const [won] = taken.filter((one) => one !== 'moved');
    assert.deepEqual(await store().find(row.id), won);
  });
});

test('the open ones are those that wait or run, the oldest first; a row that somebody broke holds up none', async () => {
  for (const { id } of await store().open()) {
    const row = (await store().find(id)) ?? assert.fail();
    await store().write({ ...row, state: 'failed' });
  }
  const late = await inserted({ at: new Date(AT_MS + 2).toISOString() });
  const early = await inserted({ at: new Date(AT_MS + 1).toISOString() });
  const over = await inserted({ state: 'notBegun', why: 'paused' });
  await store().write({ ...late, state: 'running', takenAtMs: 7 });
  const table = await azurite.tables('demands');
  await table.createEntity({ partitionKey: 'demand', rowKey: 'broken', open: true, demand: '{' });
  // The rotation's row remembers the reason. With one that fills a property that row could not be written any more.
  for (const over of [{ reason: 'r'.repeat(30_000) }, { at: 'once' }]) {
    const broken = demand(over);
    const columns = { open: true, takenAtMs: 0, demand: JSON.stringify(broken) };
    await table.createEntity({ partitionKey: 'demand', rowKey: broken.id, ...columns });
  }
  const open = await store().open();
  assert.deepEqual(
    open.map(({ id }) => id),
    [early.id, late.id],
  );
  assert.equal(open[1]?.takenAtMs, 7);
  assert.ok(!open.some(({ id }) => id === over.id));
});

test('the sweep removes what is over and old, and nothing that is open', async () => {
  const [old, open, fresh] = [
    await inserted({ state: 'done' }),
    await inserted({ state: 'begun' }),
    await inserted({ state: 'done', at: new Date(AT_MS + 1000).toISOString() }),
  ];
  await store().sweep(AT_MS + 500);
  assert.equal(await book().find(old.id), undefined);
  assert.ok((await book().find(open.id)) && (await book().find(fresh.id)));
});

test('while the tables are down each call is an outage', async () => {
  const nowhere = () => Promise.reject(new UpstreamFailure('tables', 'is down'));
  const [far, farBook] = [createDemandStore(nowhere), createDemandBook(nowhere)];
  const row = { ...demand(), etag: 'x', takenAtMs: 0 };
  for (const call of [
    () => farBook.insert(row, 'an account'),
    () => farBook.find(row.id),
    () => far.open(),
    () => far.write(row),
    () => far.sweep(0),
  ])
    await assert.rejects(call, UpstreamFailure);
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TableClient } from '@azure/data-tables';
import { createEventStore } from '../../src/azure/event-store.ts';
import { createIssuedTokens, createLedger, sweepLedger } from '../../src/azure/ledger.ts';
import { createRevocationReader } from '../../src/azure/revocation-reader.ts';
import { createRevocationTable } from '../../src/azure/revocation-store.ts';
import { createRows } from '../../src/azure/rows.ts';
import { createState } from '../../src/azure/state.ts';
import { createTables } from '../../src/azure/tables.ts';
import type { Scope } from '../../src/ports.ts';
import { type Change, lift, raise } from '../../src/revocation/entry.ts';
import type { EventStore, RevocationTable } from '../../src/revocation/ports.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { HOME, START_MS, USER } from '../revocation/fakes.ts';
import { startAzurite } from './azurite.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let table: RevocationTable;
let events: EventStore;
before(async () => {
  azurite = await startAzurite();
  table = createRevocationTable(azurite.tables);
  events = createEventStore(azurite.tables);
});
after(() => azurite[Symbol.asyncDispose]());

const NOW = START_MS / 1000;
/** As the exchange reads it. */
const load = () => {
  const noToken = () => Promise.reject(new Error('on loopback no token is asked for'));
  const reader = createRevocationReader(azurite.tables, () => START_MS);
  return createState(azurite.tables, createRows(azurite.url, noToken, Date.now), reader).load();
};
const change = (scope: Scope, cutOffSeconds: number, blockCause?: string): Change => ({
  scope,
  cutOffSeconds,
  blockCause,
  reason: 'why',
  source: 'test',
  receivedAtMs: START_MS,
});
const put = (each: Change) => table.update(scopeKey(each.scope), (entry) => raise(entry, each));
const scopeNumber = (n: number): Scope => ({
  kind: 'token',
  tenantId: HOME,
  uti: `Uti-${n}/with#odd?chars\\%`,
});

describe('the revocation table', () => {
  test('what was raised is read back as it was, by itself and by the exchange', async () => {
    const scope: Scope = { kind: 'user', tenantId: HOME, objectId: USER };
    const entry = await put(change(scope, NOW, 'cause'));
    assert.deepEqual(
      (await table.list()).filter((each) => scopeKey(each.scope) === scopeKey(scope)),
      [entry],
    );
    const snapshot = await load();
    assert.deepEqual(snapshot.revocations.get(scopeKey(scope)), {
      scope,
      cutOffSeconds: NOW,
      blocked: true,
      receivedAtMs: START_MS,
    });
  });

  test('a cut-off beyond 2038 is kept', async () => {
    const scope = scopeNumber(1);
    assert.equal((await put(change(scope, 2 ** 32)))?.cutOffSeconds, 2 ** 32);
    const snapshot = await load();
    assert.equal(snapshot.revocations.get(scopeKey(scope))?.cutOffSeconds, 2 ** 32);
  });

  test('of many writers at once none is lost and the latest cut-off stands', async () => {
    const scope = scopeNumber(2);
    await Promise.all(Array.from({ length: 12 }, (_, n) => put(change(scope, NOW + n, `cause-${n}`))));
    const entry = await table.update(scopeKey(scope), (current) => current);
    assert.equal(entry?.cutOffSeconds, NOW + 11);
    assert.equal(Object.keys(entry?.blocks ?? {}).length, 12);
  });

  test('a lift and a block at the same moment both count', async () => {
    const scope = scopeNumber(3);
    await put(change(scope, NOW, 'old'));
    await Promise.all([
      table.update(scopeKey(scope), (entry) => entry && lift(entry, ['old'], START_MS)),
      put(change(scope, NOW, 'new')),
    ]);
    const entry = await table.update(scopeKey(scope), (current) => current);
    assert.deepEqual([Object.keys(entry?.blocks ?? {}), entry?.liftedAtMs], [['new'], START_MS]);
  });

  test('removing looks again, and what came back stays', async () => {
    const scope = scopeNumber(4);
    await put(change(scope, NOW));
    await table.remove(scopeKey(scope), () => true);
    assert.ok(await table.update(scopeKey(scope), (current) => current), 'the last change of all stays');
    await put(change(scopeNumber(7), NOW));
    await table.remove(scopeKey(scope), () => false);
    assert.ok(await table.update(scopeKey(scope), (current) => current));
    await table.remove(scopeKey(scope), () => true);
    assert.equal(await table.update(scopeKey(scope), (current) => current), undefined);
    await table.remove(scopeKey(scope), () => true);
  });

  test('what is raised between the look and the removal stays', async () => {
    const scope = scopeNumber(6);
    await put(change(scope, NOW));
    await put(change(scopeNumber(8), NOW));
    const late = createRevocationTable(async (name) => {
      const client = await azurite.tables(name);
      const deleteEntity: TableClient['deleteEntity'] = async (...args) => {
        await put(change(scope, NOW + 1));
        return client.deleteEntity(...args);
      };
      const getEntity = client.getEntity.bind(client);
      const listEntities = client.listEntities.bind(client);
      return { getEntity, deleteEntity, listEntities } as unknown as TableClient;
    });
    await late.remove(scopeKey(scope), () => true);
    assert.equal((await table.update(scopeKey(scope), (current) => current))?.cutOffSeconds, NOW + 1);
  });

  test('whoever completes a change does not undo a later one', async () => {
    const [scope, unwritten] = [scopeNumber(10), scopeNumber(11)];
    const client = await azurite.tables('state');
    const fails = createRevocationTable(async () => {
      const createEntity: TableClient['createEntity'] = (row, ...rest) =>
        row.rowKey === scopeKey(unwritten)
          ? Promise.reject(Object.assign(new Error(), { statusCode: 403 }))
          : client.createEntity(row, ...rest);
      return Object.assign(Object.create(client), { createEntity });
    });
    const raised = (to: RevocationTable, about: Scope, seconds: number) =>
      to.update(scopeKey(about), (entry) => raise(entry, change(about, seconds)));
    const halves = [raised(fails, scope, NOW), raised(fails, unwritten, NOW)];
    for (const half of await Promise.allSettled(halves)) assert.equal(half.status, 'rejected');
    // What is read last here was changed meanwhile, and what is read first was not complete.
    const late = createRevocationTable(async () => {
      const getEntity: TableClient['getEntity'] = async (partition, key, ...rest) => {
        if (key === scopeKey(scope)) {
          await raised(table, scope, NOW + 1);
          await raised(table, scopeNumber(12), NOW);
        }
        return client.getEntity(partition, key, ...rest);
      };
      return Object.assign(Object.create(client), { getEntity });
    });
    await raised(late, scopeNumber(13), NOW);
    const rows = await table.list();
    const cutOffs = [scope, unwritten].map((each) =>
      rows.find((row) => scopeKey(row.scope) === scopeKey(each)),
    );
    assert.deepEqual(
      cutOffs.map((row) => row?.cutOffSeconds),
      [NOW + 1, NOW],
    );
  });

  test('a log of which only the last row is left is found again, and whoever was before it loads all', async () => {
    const reader = createRevocationReader(azurite.tables, () => START_MS);
    const read = async () => (await reader(false)).entries;
    await put(change(scopeNumber(14), NOW));
    await read();
    for (const n of [15, 16, 17]) await put(change(scopeNumber(n), NOW));
    const logged = await table.trimLog(0);
    assert.equal(await table.trimLog(logged), logged);
    const client = await azurite.tables('state');
    const left: string[] = [];
    const queryOptions = { filter: "PartitionKey eq 'revocation-log'" };
    for await (const { rowKey } of client.listEntities({ queryOptions })) left.push(String(rowKey));
    assert.equal(left.length, 1);
    for (const n of [14, 15, 16, 17]) assert.ok((await read()).has(scopeKey(scopeNumber(n))));
    await put(change(scopeNumber(18), NOW));
    assert.ok((await read()).has(scopeKey(scopeNumber(18))));
  });

  test('an instance forgets an entry an hour after it refuses nothing any more', async () => {
    let nowMs = START_MS;
    const reader = createRevocationReader(azurite.tables, () => nowMs);
    const read = async () => (await reader(false)).entries;
    const scope: Scope = { kind: 'issued', sha256: 'ef'.repeat(32) };
    await put(change(scope, NOW));
    assert.ok((await read()).has(scopeKey(scope)));
    nowMs += 3_600_000;
    assert.ok((await read()).has(scopeKey(scope)));
    nowMs += 3_600_000;
    assert.ok(!(await read()).has(scopeKey(scope)));
  });

  test('a row of the log that nobody can read is an outage, to readers and to writers', async () => {
    const client = await azurite.tables('state');
    const reader = createRevocationReader(azurite.tables, () => START_MS);
    const read = async () => (await reader(false)).entries;
    await read();
    const row = { partitionKey: 'revocation-log', rowKey: '0000000000000001', entries0: '[["tenant:t",{}]]' };
    await client.createEntity(row);
    await assert.rejects(read(), UpstreamFailure);
    await assert.rejects(put(change(scopeNumber(19), NOW)), UpstreamFailure);
    await client.deleteEntity(row.partitionKey, row.rowKey);
    await read();
  });

  test('a list that takes longer than an exchange may wait is still read, or it could never be shortened', async () => {
    const slowly = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 3_100));
      yield* [];
    };
    const client = { listEntities: slowly } as unknown as TableClient;
    assert.deepEqual(await createRevocationTable(async () => client).list(), []);
  });

  test('more entries than a page holds are one list', async () => {
    const client = await azurite.tables('state');
    await put(change(scopeNumber(5), NOW));
    const model = await client.getEntity<Record<string, unknown>>('revocation', scopeKey(scopeNumber(5)));
    for (let batch = 0; batch < 11; batch += 1)
      await client.submitTransaction(
        Array.from({ length: 100 }, (_, n) => [
          'create',
          { ...model, partitionKey: 'revocation', rowKey: `token:x:${batch * 100 + n}` },
        ]),
      );
    assert.ok((await table.list()).length > 1_100);
  });
});

describe('the event store', () => {
  test('the first record of a key is kept, whoever comes later', async () => {
    assert.deepEqual(await events.keepFirst('request', 'k', { cutOff: '1' }, START_MS), { cutOff: '1' });
    assert.deepEqual(await events.keepFirst('request', 'k', { cutOff: '2' }, START_MS), { cutOff: '1' });
    assert.deepEqual(await events.find('request', 'k'), { cutOff: '1' });
    assert.equal(await events.find('signal', 'k'), undefined);
  });

  test('of many at once, all are told the same', async () => {
    const told = await Promise.all(
      Array.from({ length: 10 }, (_, n) => events.keepFirst('request', 'race', { n: String(n) }, START_MS)),
    );
    assert.equal(new Set(told.map(({ n }) => n)).size, 1);
  });

  test('lists in the order of keys, from one on, no more than asked', async () => {
    for (const key of ['2026-03-04 b', '2026-03-03 a', '2026-03-05 c'])
      await events.replace('effect', key, { key }, START_MS);
    assert.deepEqual(
      (await events.list('effect', '2026-03-04', 10)).map(({ key }) => key),
      ['2026-03-04 b', '2026-03-05 c'],
    );
    assert.equal((await events.list('effect', '', 2)).length, 2);
  });

  test('the sweep takes what need not be kept, and nothing else', async () => {
    await events.replace('poison', 'old', {}, START_MS - 1);
    await events.replace('poison', 'new', { why: 'x' }, START_MS + 1);
    await events.sweep(START_MS);
    assert.deepEqual(await events.list('poison', '', 10), [{ why: 'x' }]);
  });
});

test('records of tokens that are over are swept, the others stay', async () => {
  const issued = createIssuedTokens(azurite.tables);
  const record = {
    resource: 'speech',
    tokenKind: 'sts',
    epoch: 0,
    user: undefined,
    issuedAtMs: 0,
  } as const;
  await issued.record({ ...record, sha256: 'over', expiresAtMs: START_MS - 1 });
  await issued.record({ ...record, sha256: 'alive', expiresAtMs: START_MS + 1 });
  await sweepLedger(azurite.tables)(START_MS);
  assert.equal(await issued.find('over'), undefined);
  assert.ok(await issued.find('alive'));
});

test('declarations are swept a day after the last token they speak of, and never one that was renewed', async () => {
  const ledger = createLedger(azurite.tables);
  const DAY_MS = 86_400_000;
  await ledger.declare('swept', 'Key1', 'old', START_MS - DAY_MS - 1);
  await ledger.declare('swept', 'Key1', 'late', START_MS - DAY_MS + 1);
  await sweepLedger(azurite.tables)(START_MS);
  const table = await azurite.tables('ledger');
  const left: (string | undefined)[] = [];
  const queryOptions = { filter: "PartitionKey eq 'mint:swept:Key1'", select: ['RowKey'] };
  for await (const { rowKey, etag } of table.listEntities({ queryOptions })) {
    left.push(rowKey);
    // The sweep deletes on this: without it a declaration made meanwhile would go too.
    assert.ok(etag);
  }
  assert.deepEqual(
    left.map((rowKey) => rowKey?.split(':')[1]),
    ['late'],
  );
});

test('tables that are out of reach are an outage for every call', async () => {
  const nowhere = createTables('http://127.0.0.1:9/devstoreaccount1', {
    getToken: () => Promise.reject(new Error('unused')),
  });
  const [far, farEvents] = [createRevocationTable(nowhere), createEventStore(nowhere)];
  const attempts = [
    far.list(),
    far.update('k', (entry) => entry),
    far.remove('k', () => true),
    farEvents.keepFirst('poison', 'k', {}, 0),
    farEvents.find('poison', 'k'),
    farEvents.list('poison', '', 1),
    farEvents.replace('poison', 'k', {}, 0),
    farEvents.sweep(0),
  ];
  for (const outcome of await Promise.allSettled(attempts)) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof UpstreamFailure);
    assert.equal(outcome.reason.service, 'tables');
  }
});

test('a table that is not there is an outage, never an absent row', async () => {
  const client = await azurite.tables('events');
  await client.deleteTable();
  await assert.rejects(events.find('poison', 'k'), UpstreamFailure);
  await assert.rejects(events.keepFirst('poison', 'k', {}, 0), UpstreamFailure);
  await client.createTable();
});

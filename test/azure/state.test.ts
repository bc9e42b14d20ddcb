import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuditReader, createAuditTable } from '../../src/azure/audit-table.ts';
import { createIssuedTokens, createLedger, sweepLedger } from '../../src/azure/ledger.ts';
import { createRevocationReader } from '../../src/azure/revocation-reader.ts';
import { createRows } from '../../src/azure/rows.ts';
import { createState } from '../../src/azure/state.ts';
import { createTables, type Tables } from '../../src/azure/tables.ts';
import type { AuditRecord, IssuedRecord } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { auditOfDay, dayOf, pagesOf } from './audit-day.ts';
import { startAzurite } from './azurite.ts';
import { startUpstream } from './upstream-server.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite[Symbol.asyncDispose]());

const noCredential = () => Promise.reject(new Error('on loopback no credential is asked for'));
const rowsAt = (url: string) => createRows(url, noCredential, () => NOW_MS);
const stateOf = (tables: Tables, url: string) =>
  createState(
    tables,
    rowsAt(url),
    createRevocationReader(tables, () => NOW_MS),
  );
const stateHere = () => stateOf(azurite.tables, azurite.url);
const put = async (partitionKey: string, rowKey: string, row: object): Promise<void> => {
  const table = await azurite.tables('state');
  await table.upsertEntity({ partitionKey, rowKey, ...row }, 'Replace');
};
const record = (rest: Partial<AuditRecord> = {}): AuditRecord => ({
  at: new Date(NOW_MS).toISOString(),
  correlationId: 'c-1',
  outcome: 'granted',
  instance: 'i-1',
  ...rest,
});

test('before the first change there is a version, and each bump is another', async () => {
  const state = stateHere();
  const seen = [await state.version()];
  for (let left = 3; left > 0; left -= 1) {
    await state.bump();
    seen.push(await state.version());
  }
  assert.equal(new Set(seen).size, 4);
});

test('a load gives what stands behind the head: revocations and slots, by their names', async () => {
  const state = stateHere();
  const scope = { kind: 'tenant', tenantId: 't' };
  await put('revocation', 'tenant:t', {
    scope: JSON.stringify(scope),
    cutOffSeconds: { type: 'Int64', value: '1795348800' },
    blocked: false,
    receivedAtMs: { type: 'Double', value: NOW_MS },
    reason: 'columns of others do not disturb',
  });
  const key = { active: 'Key2', secret: 'speech-key', secretVersion: 'v3' };
  await put('rotation', 'speech', { generation: 3, retiring: 'Key1', epoch: 1, ...key });
  await put('rotation', 'chat', { generation: 1, retiring: '', epoch: 0 });
  const { version, revocations, slots } = await state.load();
  assert.equal(version, await state.version());
  assert.deepEqual(revocations.get('tenant:t'), {
    scope,
    cutOffSeconds: 1_795_348_800,
    blocked: false,
    receivedAtMs: NOW_MS,
  });
  assert.deepEqual(slots.get('speech'), {
    generation: 3,
    retiring: 'Key1',
    epoch: 1,
    current: { slot: 'Key2', secret: 'speech-key', version: 'v3' },
  });
  // As it was written before the row named a version.
  assert.deepEqual(slots.get('chat'), { generation: 1, retiring: undefined, epoch: 0, current: undefined });
});

test('a row that nobody can read is an outage: to leave it out would be a grant', async () => {
  for (const row of [
    { scope: '{"kind":"tenant"}', cutOffSeconds: 'soon', blocked: false },
    { scope: '{"kind":"tenant"}', cutOffSeconds: 1 },
    { scope: 'not json', cutOffSeconds: 1, blocked: true },
  ]) {
    await put('revocation', 'broken', row);
    await assert.rejects(stateHere().load(), UpstreamFailure);
  }
  await (await azurite.tables('state')).deleteEntity('revocation', 'broken');
  await stateHere().load();
});

test('more rows than one page are all read', async () => {
  const row = (key: string) => ({
    PartitionKey: 'revocation',
    RowKey: key,
    scope: '{"kind":"token"}',
    cutOffSeconds: 1,
    blocked: false,
    receivedAtMs: 1,
  });
  await using upstream = await startUpstream(({ path }) => {
    const headers: Record<string, string> = { 'content-type': 'application/json', etag: 'W/"1"' };
    if (path.includes('(PartitionKey')) return { status: 200, headers, body: {} };
    if (!decodeURIComponent(path).includes("'revocation'"))
      return { status: 200, headers, body: { value: [] } };
    if (path.includes('NextPartitionKey=next')) return { status: 200, headers, body: { value: [row('b')] } };
    headers['x-ms-continuation-nextpartitionkey'] = 'next';
    headers['x-ms-continuation-nextrowkey'] = 'next';
    return { status: 200, headers, body: { value: [row('a')] } };
  });
  const url = `${upstream.url}/devstoreaccount1`;
  const { revocations } = await stateOf(createTables(url, { getToken: noCredential }), url).load();
  assert.deepEqual([...revocations.keys()], ['a', 'b']);
});

test('the ledger gives the latest expiry over all instances, and none is ever lowered', async () => {
  const one = createLedger(azurite.tables);
  const two = createLedger(azurite.tables);
  assert.equal(await one.latestExpiryMs('speech', 'Key1'), 0);
  await one.declare('speech', 'Key1', 'i-1', NOW_MS + 5000);
  await two.declare('speech', 'Key1', 'i-2', NOW_MS + 9000);
  await two.declare('speech', 'Key1', 'i-2', NOW_MS + 2000);
  await two.declare('speech', 'Key2', 'i-2', NOW_MS + 99_000);
  await two.declare('speech-2', 'Key1', 'i-2', NOW_MS + 99_000);
  assert.equal(await one.latestExpiryMs('speech', 'Key1'), NOW_MS + 9000);
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      one.declare('speech', 'Key1', 'i-1', NOW_MS + 10_000 + (index % 7)),
    ),
  );
  assert.equal(await one.latestExpiryMs('speech', 'Key1'), NOW_MS + 10_006);
});

test('what a column of a declaration says shortens no drain: the key alone counts, and what is in no form is an outage', async () => {
  const ledger = createLedger(azurite.tables);
  await ledger.declare('forged', 'Key1', 'a', NOW_MS + 600_000);
  const table = await azurite.tables('ledger');
  const partitionKey = 'mint:forged:Key1';
  const put = (rowKey: string) =>
    table.upsertEntity({ partitionKey, rowKey, expiresAtMs: { type: 'Int64', value: '0' } }, 'Replace');
  const queryOptions = { filter: `PartitionKey eq '${partitionKey}'` };
  for await (const { rowKey } of table.listEntities({ queryOptions })) await put(String(rowKey));
  assert.equal(await ledger.latestExpiryMs('forged', 'Key1'), NOW_MS + 600_000);
  await sweepLedger(azurite.tables)(NOW_MS);
  assert.equal(await ledger.latestExpiryMs('forged', 'Key1'), NOW_MS + 600_000, 'and it is not swept');
  await put('0');
  await assert.rejects(ledger.latestExpiryMs('forged', 'Key1'), UpstreamFailure);
});

test('an issued token is found by its fingerprint, with all that was recorded', async () => {
  const issued = createIssuedTokens(azurite.tables);
  const full: IssuedRecord = {
    sha256: 'ab'.repeat(32),
    resource: 'chat',
    tokenKind: 'obo',
    epoch: undefined,
    user: { tenantId: 't', objectId: 'o' },
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 3_600_000,
  };
  const other: IssuedRecord = {
    ...full,
    sha256: 'cd'.repeat(32),
    tokenKind: 'sts',
    epoch: 2,
    user: undefined,
  };
  await issued.record(full);
  await issued.record(full);
  await issued.record(other);
  assert.deepEqual(await issued.find(full.sha256), full);
  assert.deepEqual(await issued.find(other.sha256), other);
  assert.equal(await issued.find('00'.repeat(32)), undefined);
});

async function read(day: string, resource?: string): Promise<string[]> {
  return (await auditOfDay(azurite.tables, day, resource)).map(({ correlationId }) => correlationId);
}

test('who got tokens for this account yesterday is one question, answered in order', async () => {
  let nowMs = NOW_MS;
  const write = createAuditTable(rowsAt(azurite.url), () => nowMs, 'i-1');
  await write([
    record({ correlationId: 'a', resource: 'speech' }),
    record({ correlationId: 'b', resource: 'speech-2' }),
  ]);
  nowMs += 1;
  await write([record({ correlationId: 'c', resource: 'speech' })]);
  await write([record({ correlationId: 'd' })]);
  nowMs += 86_400_000;
  await write([record({ correlationId: 'e', resource: 'speech' })]);
  assert.deepEqual(await read('2026-11-22', 'speech'), ['a', 'c']);
  assert.deepEqual(await read('2026-11-22', 'speech-2'), ['b']);
  assert.deepEqual(await read('2026-11-22'), ['a', 'b', 'c', 'd']);
  assert.deepEqual(await read('2026-11-23', 'speech'), ['e']);
  assert.deepEqual(await read('2026-11-24'), []);
});

test('the largest group fits one row, and comes back whole', async () => {
  const write = createAuditTable(rowsAt(azurite.url), () => NOW_MS - 86_400_000, 'i-1');
  const records = Array.from({ length: 500 }, (_, index) =>
    record({
      correlationId: String(index).padStart(32, '0'),
      tenantId: crypto.randomUUID(),
      clientId: crypto.randomUUID(),
      objectId: crypto.randomUUID(),
      uti: 'u'.repeat(200),
      resource: `r${index}`.padEnd(63, 'x'),
      grant: 'g'.repeat(63),
      reason: 'r'.repeat(300),
    }),
  );
  await write(records);
  assert.deepEqual(await auditOfDay(azurite.tables, '2026-11-21'), records);
});

test('pages of the audit together are the whole day, each record once', async () => {
  let nowMs = NOW_MS - 5 * 86_400_000;
  const tick = () => {
    nowMs += 130;
    return nowMs;
  };
  const write = createAuditTable(rowsAt(azurite.url), tick, 'i-1');
  const written = Array.from({ length: 25 }, (_, index) => `s${String(index).padStart(2, '0')}`);
  for (const name of written)
    await write(Array.from({ length: 100 }, () => record({ correlationId: name, resource: 'speech' })));
  const counted = new Map<string, number>();
  let pages = 0;
  for await (const page of pagesOf(azurite.tables, dayOf('2026-11-17', 'speech'))) {
    for (const { correlationId } of page) counted.set(correlationId, (counted.get(correlationId) ?? 0) + 1);
    pages += 1;
  }
  assert.equal(pages, 3);
  assert.deepEqual(Object.fromEntries(counted), Object.fromEntries(written.map((name) => [name, 100])));
});

test('what is sent for a page never becomes part of the query', async () => {
  for (const row of ["' or PartitionKey ne '", `${'z'.repeat(18)}' or true`]) {
    const query = { ...dayOf('2026-11-17', 'speech'), after: { row, record: 0 } };
    const { items } = await createAuditReader(azurite.tables)(query);
    assert.equal(items.length > 0, row < '2');
  }
});

test('a declaration that was given up and lands late lowers none that was made after it', async () => {
  const real = await azurite.tables('ledger');
  const late: (() => Promise<unknown>)[] = [];
  let answers = false;
  const upsertEntity: typeof real.upsertEntity = (row, mode) => {
    if (answers) return real.upsertEntity(row, mode);
    late.push(() => real.upsertEntity(row, mode));
    return Promise.reject(new Error('no answer in time'));
  };
  const listEntities = real.listEntities.bind(real);
  const ledger = createLedger(async () => Object.assign(Object.create(real), { upsertEntity, listEntities }));
  await assert.rejects(ledger.declare('late', 'Key1', 'i-1', NOW_MS), UpstreamFailure);
  answers = true;
  await ledger.declare('late', 'Key1', 'i-1', NOW_MS + 60_000);
  for (const land of late) await land();
  assert.equal(await ledger.latestExpiryMs('late', 'Key1'), NOW_MS + 60_000);
});

test('a revocation of an instance that writes no log is seen when the head has moved', async () => {
  const state = stateHere();
  await state.load();
  const scope = { kind: 'client', tenantId: 't', clientId: 'old' };
  await put('revocation', 'client:t:old', {
    scope: JSON.stringify(scope),
    cutOffSeconds: { type: 'Double', value: 1 },
    blocked: true,
    receivedAtMs: { type: 'Double', value: NOW_MS },
  });
  assert.equal((await state.load()).revocations.has('client:t:old'), false, 'the head has not moved');
  await state.bump();
  assert.equal((await state.load()).revocations.get('client:t:old')?.blocked, true);
});

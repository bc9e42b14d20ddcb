/** The audit's rows as closing and verifying see them, in Azurite. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuditRows } from '../../src/azure/audit-rows.ts';
import { createAuditTable } from '../../src/azure/audit-table.ts';
import { createRows } from '../../src/azure/rows.ts';
import type { AuditRow, AuditRows } from '../../src/record/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startAzurite } from './azurite.ts';
import { startUpstream } from './upstream-server.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let audit: AuditRows;
before(async () => {
  azurite = await startAzurite();
  // Loads the SDK, which on a busy machine takes longer than a call may.
  await azurite.tables('usage');
  audit = createAuditRows(azurite.tables);
});
after(() => azurite[Symbol.asyncDispose]());

const noCredential = () => Promise.reject(new Error('on loopback no credential is asked for'));
const write = async (at: string, instance = 'i', count = 1) => {
  const rows = createRows(azurite.url, noCredential, () => Date.parse(at));
  const records = Array.from({ length: count }, (_, index) => ({
    at,
    correlationId: `c-${index}`,
    outcome: 'granted' as const,
    resource: 'speech',
    instance,
  }));
  await createAuditTable(rows, () => Date.parse(at), instance)(records);
};
const all = async (first: string, last: string, from = audit): Promise<AuditRow[]> => {
  const found: AuditRow[] = [];
  for await (const row of from.rows(first, last)) found.push(row);
  return found;
};

test('the rows of a span of minutes come whole, in the order of their keys, and none of a neighbour', async () => {
  for (const at of ['01:19:59.999', '01:20:00.000', '01:20:59.999', '01:21:00.001', '01:22:00.000'])
    await write(`2026-11-26T${at}Z`);
  const rows = await all('2026-11-26T01:20', '2026-11-26T01:21');
  assert.deepEqual(
    rows.map(({ key }) => key),
    ['2026-11-26T01:20:00.000Z-i-1', '2026-11-26T01:20:59.999Z-i-1', '2026-11-26T01:21:00.001Z-i-1'],
  );
  const [row] = rows;
  assert.equal(row?.count, 1);
  assert.equal(row?.resources, ' speech ');
  assert.equal(JSON.parse(row?.records ?? '').correlationId, 'c-0');
  assert.deepEqual(
    await audit.keys('2026-11-26T01:20', '2026-11-26T01:21'),
    rows.map(({ key }) => key),
  );
});

test('more rows than a page has come all', async () => {
  const table = await azurite.tables('audit');
  const second = '2026-11-25T10:00:00';
  for (let batch = 0; batch < 11; batch += 1)
    await table.submitTransaction(
      Array.from({ length: 100 }, (_, index) => [
        'create',
        {
          partitionKey: second,
          rowKey: `${second}.000Z-i-${String(batch * 100 + index).padStart(5, '0')}`,
          count: 1,
          resources: ' a ',
          records0: '{}',
        },
      ]),
    );
  const rows = await all('2026-11-25T10:00', '2026-11-25T10:00');
  assert.equal(rows.length, 1100);
  assert.equal((await audit.keys('2026-11-25T10:00', '2026-11-25T10:00')).length, 1100);
});

test('a row that somebody put into another partition has another key than the one that it imitates', async () => {
  await write('2026-11-24T01:20:00.000Z');
  const table = await azurite.tables('audit');
  const rowKey = '2026-11-24T01:20:00.000Z-i-1';
  for (const partitionKey of ['2026-11-24T01:20:01', '2026-11-24T01:20'])
    await table.createEntity({ partitionKey, rowKey, count: 'one', resources: '' });
  const keys = await audit.keys('2026-11-24T01:20', '2026-11-24T01:20');
  assert.deepEqual(keys, [`2026-11-24T01:20/${rowKey}`, rowKey, `2026-11-24T01:20:01/${rowKey}`]);
  assert.equal((await all('2026-11-24T01:20', '2026-11-24T01:20'))[0]?.count, Number.NaN);
  await audit.remove(keys.slice(0, 1));
  assert.deepEqual(await audit.keys('2026-11-24T01:20', '2026-11-24T01:20'), keys.slice(1));
});

test('the earliest minute is that of the first row whose partition is one', async () => {
  assert.equal(await audit.earliest(), '2026-11-24T01:20');
  const table = await azurite.tables('audit');
  await table.createEntity({ partitionKey: '!', rowKey: 'a' });
  await table.createEntity({ partitionKey: '2026-11-23T99', rowKey: 'a' });
  assert.equal(await audit.earliest(), '2026-11-24T01:20');
});

test('what was removed before is no failure', async () => {
  await write('2026-11-23T08:00:00.000Z');
  const keys = await audit.keys('2026-11-23T08:00', '2026-11-23T08:00');
  await audit.remove(keys);
  await audit.remove(keys);
  assert.deepEqual(await audit.keys('2026-11-23T08:00', '2026-11-23T08:00'), []);
});

test('a page that failed is asked for again, and the ones before it are not', async () => {
  const { createTables } = await import('../../src/azure/tables.ts');
  const asked: string[] = [];
  let hasFailed = false;
  await using upstream = await startUpstream(({ path }) => {
    const isSecond = path.includes('NextPartitionKey');
    asked.push(isSecond ? 'second' : 'first');
    const row = (name: string) => ({ PartitionKey: '2026-11-26T01:20:00', RowKey: name, count: 1 });
    const json = { 'content-type': 'application/json' };
    if (!isSecond)
      return {
        status: 200,
        headers: {
          ...json,
          'x-ms-continuation-nextpartitionkey': 'p',
          'x-ms-continuation-nextrowkey': 'r',
        },
        body: { value: [row('a')] },
      };
    if (!hasFailed) {
      hasFailed = true;
      return { status: 503, headers: { 'retry-after': '0' } };
    }
    return { status: 200, headers: json, body: { value: [row('b')] } };
  });
  const tables = createTables(`${upstream.url}/devstoreaccount1`, { getToken: noCredential });
  const keys = await createAuditRows(tables).keys('2026-11-26T01:20', '2026-11-26T01:20');
  assert.deepEqual(
    keys.map((key) => key.at(-1)),
    ['a', 'b'],
  );
  assert.deepEqual(asked, ['first', 'second', 'second']);
});

test('an outage in the middle is an outage, never the end of the rows', async () => {
  const { createTables } = await import('../../src/azure/tables.ts');
  for (const bad of [
    { status: 403 },
    { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
  ]) {
    await using upstream = await startUpstream(({ path }) =>
      path.includes('NextPartitionKey')
        ? bad
        : {
            status: 200,
            headers: { 'content-type': 'application/json', 'x-ms-continuation-nextpartitionkey': 'p' },
            body: { value: [] },
          },
    );
    const rows = createAuditRows(
      createTables(`${upstream.url}/devstoreaccount1`, { getToken: noCredential }),
    );
    await assert.rejects(all('2026-11-26T01:20', '2026-11-26T01:20', rows), UpstreamFailure);
    await assert.rejects(rows.keys('2026-11-26T01:20', '2026-11-26T01:20'), UpstreamFailure);
  }
});

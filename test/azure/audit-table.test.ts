import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_RECORDS_PER_WRITE } from '../../src/audit/audit.ts';
import { createAuditReader, createAuditTable } from '../../src/azure/audit-table.ts';
import type { Rows } from '../../src/azure/rows.ts';
import type { Tables } from '../../src/azure/tables.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { dayOf, pagesOf } from './audit-day.ts';

const ROWS = ['speech', 'chat', 'chat', 'chat', 'speech'].map((resource, second) => {
  const at = `2026-11-22T12:00:0${second}.000Z`;
  const record = { at, correlationId: String(second), outcome: 'granted', instance: 'i', resource };
  return { rowKey: `${at}-i-1`, resources: ` ${resource} `, records0: JSON.stringify(record) };
});

const fromOf = (filter: string): string => /RowKey ge '([^']*)'$/.exec(filter)?.[1] ?? '';

/** Has the rows from the row key of the filter on. */
const tables = (async () => ({
  async *listEntities({ queryOptions }: { queryOptions: { filter: string } }) {
    yield* ROWS.filter(({ rowKey }) => rowKey >= fromOf(queryOptions.filter));
  },
})) as unknown as Tables;

test('a day with more rows than can be read in time is read on by pages, some without any record', async () => {
  const pages: string[][] = [];
  // Each page looks at the row where the last one ended, and has time for no other.
  for await (const page of pagesOf(tables, dayOf('2026-11-22', 'speech'), -1)) {
    pages.push(page.map(({ correlationId }) => correlationId));
    if (pages.length === 20) break;
  }
  assert.deepEqual(pages, [['0'], [], [], [], ['4'], []]);
});

test('a page has as many records as asked for, also in the middle of a row, and each record once', async () => {
  const table = keptTable();
  const named = (from: number) =>
    Array.from({ length: 5 }, (_, index) => refusal({ correlationId: String(from + index), objectId: 'o' }));
  await table.write(named(0));
  await table.write(named(5));
  const pages: string[] = [];
  for await (const page of pagesOf(table.tables, dayOf('2026-11-22', undefined, 3)))
    pages.push(page.map(({ correlationId }) => correlationId).join(''));
  assert.deepEqual(pages, ['012', '345', '678', '9']);
  const query = { ...dayOf('2026-11-22'), outcome: 'granted' as const };
  assert.deepEqual((await createAuditReader(table.tables)(query)).items, []);
  assert.equal(
    (await createAuditReader(table.tables)({ ...dayOf('2026-11-22'), caller: 'o' })).items.length,
    10,
  );
});

test('a day that can be read in time is one page', async () => {
  const { items: records, next } = await createAuditReader(tables)(dayOf('2026-11-22', 'speech'));
  assert.deepEqual(
    records.map(({ correlationId }) => correlationId),
    ['0', '4'],
  );
  assert.equal(next, undefined);
});

/** A table of one day that keeps what is inserted, with the bounds of the real one. */
function keptTable() {
  const kept: Record<string, unknown>[] = [];
  const rows = {
    insert: async (_table: string, row: Record<string, unknown>) => {
      for (const value of Object.values(row))
        assert.ok(typeof value !== 'string' || value.length <= 32_768, 'a property holds 64 KiB of UTF-16');
      assert.ok(JSON.stringify(row).length <= 524_288, 'a row holds 1 MiB of UTF-16');
      kept.push({ ...row, rowKey: row['RowKey'] });
    },
  } as unknown as Rows;
  const tables = (async () => ({
    async *listEntities({ queryOptions }: { queryOptions: { filter: string } }) {
      yield* kept.filter(({ rowKey }) => String(rowKey) >= fromOf(queryOptions.filter));
    },
  })) as unknown as Tables;
  return {
    tables,
    write: createAuditTable(rows, () => Date.parse('2026-11-22T12:00:00Z'), 'i'),
    find: async (resource: string) => (await createAuditReader(tables)(dayOf('2026-11-22', resource))).items,
  };
}
const refusal = (more: Partial<AuditRecord>): AuditRecord => ({
  at: '2026-11-22T12:00:00.000Z',
  correlationId: 'c',
  outcome: 'refused',
  instance: 'i',
  ...more,
});

test('counted refusals are found by the resource of each of their samples', async () => {
  const { write, find } = keptTable();
  const samples = [
    { correlationId: 'a', resource: 'speech' },
    { correlationId: 'b', resource: 'https://other.example' },
    { correlationId: 'c' },
  ];
  const counted = refusal({ reason: 'caller_unverified: expired', count: 9, samples });
  await write([counted, refusal({ resource: 'chat' })]);
  assert.deepEqual(await find('https://other.example'), [counted]);
  assert.deepEqual(await find('speech'), [counted]);
  assert.deepEqual(await find('spee'), []);
});

test('records of more resources than a property can list are one row, and each of them is found', async () => {
  const { write, find } = keptTable();
  const names = Array.from({ length: MAX_RECORDS_PER_WRITE }, (_, n) => `${'x'.repeat(96)}${n}`);
  await write(
    names.map((resource, n) =>
      n >= 66
        ? refusal({ resource, reason: 'target_unknown' })
        : refusal({
            reason: 'r'.repeat(300),
            samples: Array.from({ length: 10 }, (_, m) => ({
              correlationId: 'c'.repeat(32),
              resource: `${resource.slice(0, 97)}${n}-${m}`,
            })),
          }),
    ),
  );
  for (const name of names.slice(66)) assert.equal((await find(name)).length, 1);
  assert.deepEqual(await find('nothing'), []);
});

test('as many records as share a write fit into a row, each as large as a record can be', async () => {
  const { write, find } = keptTable();
  const id = '00000000-0000-4000-8000-00000000000f';
  const named = Array.from({ length: 4 }, (_, n) => `${n}${'r'.repeat(63)}`);
  const groups = Array.from({ length: 8 }, () => id);
  const largest = refusal({
    correlationId: 'c'.repeat(32),
    instance: id,
    tenantId: id,
    clientId: id,
    objectId: id,
    uti: 'u'.repeat(64),
    resource: 'x'.repeat(100),
    reason: 'r'.repeat(300),
    claims: {
      kind: 'application',
      issuedAt: 1_795_348_740,
      appRoles: named,
      scopes: named,
      groups,
      otherGroups: 'f'.repeat(256),
      left: 999,
      groupOverage: true,
    },
  });
  await write(Array.from({ length: MAX_RECORDS_PER_WRITE }, () => largest));
  assert.equal((await find('x'.repeat(100))).length, MAX_RECORDS_PER_WRITE);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuditReader } from '../../src/azure/audit-table.ts';
import type { Tables } from '../../src/azure/tables.ts';

const ROWS = ['speech', 'chat', 'chat', 'chat', 'speech'].map((resource, second) => {
  const at = `2026-11-22T12:00:0${second}.000Z`;
  const record = { at, correlationId: String(second), outcome: 'granted', instance: 'i', resource };
  return { rowKey: `${at}-i-1`, resources: ` ${resource} `, records0: JSON.stringify(record) };
});

/** Has the rows after the row key of the filter. */
const tables = (async () => ({
  async *listEntities({ queryOptions }: { queryOptions: { filter: string } }) {
    const after = /RowKey gt '(.*)'$/.exec(queryOptions.filter)?.[1] ?? '';
    yield* ROWS.filter(({ rowKey }) => rowKey > after);
  },
})) as unknown as Tables;

test('a day with more rows than can be read in time is read on by pages, some without any record', async () => {
  const readPage = createAuditReader(tables, -1);
  const pages: string[][] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage('2026-11-22', 'speech', after);
    pages.push(page.records.map(({ correlationId }) => correlationId));
    after = page.next;
  }
  assert.deepEqual(pages, [['0'], [], [], [], ['4'], []]);
});

test('a day that can be read in time is one page', async () => {
  const { records, next } = await createAuditReader(tables)('2026-11-22', 'speech', '');
  assert.deepEqual(
    records.map(({ correlationId }) => correlationId),
    ['0', '4'],
  );
  assert.equal(next, undefined);
});

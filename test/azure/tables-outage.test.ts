/** The tables talking nonsense: nothing they say is taken for an empty table or a durable record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuditTable } from '../../src/azure/audit-table.ts';
import { createIssuedTokens, createLedger } from '../../src/azure/ledger.ts';
import { createRevocationReader } from '../../src/azure/revocation-reader.ts';
import { createRows } from '../../src/azure/rows.ts';
import { createState } from '../../src/azure/state.ts';
import { createTables, type Tables } from '../../src/azure/tables.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { type Answered, startUpstream } from './upstream-server.ts';

const noCredential = () => Promise.reject(new Error('on loopback no credential is asked for'));
const rowsAt = (url: string) => createRows(url, noCredential, () => NOW_MS);
const stateOf = (tables: Tables, url: string) =>
  createState(
    tables,
    rowsAt(url),
    createRevocationReader(tables, () => NOW_MS),
  );
const record = () => ({
  at: new Date(NOW_MS).toISOString(),
  correlationId: 'c-1',
  outcome: 'granted' as const,
  instance: 'i-1',
});

const garbage: readonly [string, Answered][] = [
  ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>welcome</html>' }],
  ['an empty object', { status: 200, headers: { 'content-type': 'application/json' }, body: {} }],
  ['a list of nothing', { status: 200, headers: { 'content-type': 'application/json' }, body: '[]' }],
  ['nothing', { status: 200 }],
  [
    'a missing table',
    {
      status: 404,
      headers: { 'content-type': 'application/json' },
      body: { 'odata.error': { code: 'TableNotFound' } },
    },
  ],
  [
    'a refusal',
    {
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: { 'odata.error': { code: 'AuthorizationFailure' } },
    },
  ],
  ['trouble', { status: 500 }],
  ['a dropped connection', 'drops'],
];
for (const [what, answer] of garbage)
  test(`${what} from the tables is an outage, for every question and every record`, async () => {
    await using upstream = await startUpstream(() => answer);
    const url = `${upstream.url}/devstoreaccount1`;
    const tables = createTables(url, { getToken: noCredential });
    const state = stateOf(tables, url);
    const ledger = createLedger(tables);
    const issued = createIssuedTokens(tables);
    const asked: readonly [string, () => Promise<unknown>][] = [
      ['version', state.version],
      ['load', state.load],
      ['bump', state.bump],
      ['declare', () => ledger.declare('speech', 'Key1', 'i-1', NOW_MS)],
      ['latest expiry', () => ledger.latestExpiryMs('speech', 'Key1')],
      ['find', () => issued.find('ab')],
      ['audit', () => createAuditTable(rowsAt(url), () => NOW_MS, 'i-1')([record()])],
    ];
    await Promise.all(asked.map(([name, ask]) => assert.rejects(ask(), UpstreamFailure, name)));
  });

test('a head that can be read does not make garbage behind it an empty table', async () => {
  await using upstream = await startUpstream(({ path }) =>
    path.includes('(PartitionKey')
      ? { status: 200, headers: { etag: 'W/"1"', 'content-type': 'application/json' }, body: {} }
      : { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
  );
  const url = `${upstream.url}/devstoreaccount1`;
  const state = stateOf(createTables(url, { getToken: noCredential }), url);
  assert.equal(await state.version(), 'W/"1"');
  await assert.rejects(state.load(), UpstreamFailure);
});

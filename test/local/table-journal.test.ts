import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { AzureNamedKeyCredential, TableClient } from '@azure/data-tables';
import { type ChildHandle, startChild } from '../../src/local/children.ts';
import { createTablesAt } from '../../src/local/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'table-journal-'));
const file = join(folder, 'tables.jsonl');
const credential = new AzureNamedKeyCredential(
  'devstoreaccount1',
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
);
const started: ChildHandle[] = [];
after(async () => {
  await Promise.all(started.map((each) => each.stop(1000)));
  rmSync(folder, { recursive: true });
});

async function azurite(): Promise<{ table: TableClient; kill: () => Promise<void> }> {
  const child = startChild({
    name: 'Azurite',
    script: new URL('../../src/local/azurite-process.ts', import.meta.url),
    options: { folder },
    clock: { wallMs: 0, virtualMs: 0, speed: 1 },
    environment: {},
    log: () => undefined,
    died: () => undefined,
  });
  started.push(child);
  const url = `${(await child.bound)[0]}/devstoreaccount1`;
  await createTablesAt(url);
  const table = new TableClient(url, 'state', credential, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });
  return { table, kill: () => child.stop(0) };
}
async function rows(table: TableClient) {
  const found = [];
  for await (const { partitionKey, rowKey, etag, n } of table.listEntities()) {
    found.push({ partitionKey, rowKey, etag, n });
  }
  return found;
}

describe('a table', () => {
  it('is there after a kill with all that was acknowledged, ETags too, and nothing of a failed transaction', async () => {
    const { table, kill } = await azurite();
    await table.createEntity({ partitionKey: 'p', rowKey: 'made', n: 1 });
    await table.createEntity({ partitionKey: 'p', rowKey: 'changed', n: 1 });
    await table.updateEntity({ partitionKey: 'p', rowKey: 'changed', n: 2 }, 'Replace');
    await table.upsertEntity({ partitionKey: 'p', rowKey: 'merged', n: 3 }, 'Merge');
    await table.createEntity({ partitionKey: 'p', rowKey: 'deleted', n: 1 });
    await table.deleteEntity('p', 'deleted');
    await table.submitTransaction([
      ['create', { partitionKey: 'p', rowKey: 'together-1', n: 4 }],
      ['update', { partitionKey: 'p', rowKey: 'made', n: 5 }, 'Replace'],
    ]);
    await assert.rejects(
      table.submitTransaction([
        ['create', { partitionKey: 'p', rowKey: 'undone', n: 6 }],
        ['update', { partitionKey: 'p', rowKey: 'made', n: 7 }, 'Replace'],
        ['create', { partitionKey: 'p', rowKey: 'changed', n: 8 }],
      ]),
    );
    const kept = await rows(table);
    assert.deepEqual(
      kept.map(({ rowKey }) => rowKey),
      ['changed', 'made', 'merged', 'together-1'],
    );
    await kill();
    // A write that the kill cut short.
    appendFileSync(file, '["devstoreaccount1$state","[\\"p\\",\\"half');

    const again = await azurite();
    assert.deepEqual(await rows(again.table), kept);
    // The start has rewritten the file to what is there: a line an entity, and nothing deleted.
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const keys = lines.map((line) => JSON.parse(line).slice(0, 2).join());
    assert.equal(new Set(keys).size, keys.length);
    assert.ok(!lines.some((line) => line.endsWith('null]')));

    await again.table.createEntity({ partitionKey: 'p', rowKey: 'z', n: 9 });
    await again.kill();
    const last = await azurite();
    assert.deepEqual((await rows(last.table)).slice(0, -1), kept);

    // One ETag a write, however many come at once: the broker's head row is known by it.
    const etags = await Promise.all(
      Array.from({ length: 100 }, (_, n) => last.table.upsertEntity({ partitionKey: 'p', rowKey: 'z', n })),
    );
    assert.equal(new Set(etags.map(({ etag }) => etag)).size, 100);
  });
});

/**
 * Runs in a worker: tables in memory, with an event loop of their own. Sends their address; for each request it makes
 * copies of a row, past the service, which takes minutes for a hundred thousand.
 */
import { parentPort } from 'node:worker_threads';
import { startTableServer } from '../../src/local/azurite.ts';
import type { Document } from '../../src/local/table-journal.ts';
import { createTablesAt } from '../../src/local/tables.ts';

/** `text` of the row with these keys is replaced by each of `by`. */
export interface Copies {
  readonly PartitionKey: string;
  readonly RowKey: string;
  readonly text: string;
  readonly by: readonly string[];
}

const server = await startTableServer();
const url = `${server.getHttpServerAddress()}/devstoreaccount1`;
await createTablesAt(url);
parentPort?.on('message', ({ PartitionKey, RowKey, text, by }: Copies) => {
  const store = server.metadataStore;
  const collection = store.db.getCollection(store.getTableCollectionName('devstoreaccount1', 'state'));
  const { $loki: _number, meta: _meta, ...row } = collection?.findOne({ PartitionKey, RowKey }) ?? {};
  const model = JSON.stringify(row);
  const copies = by.map((each): Document => JSON.parse(model.replaceAll(text, each)));
  (collection as { insert(documents: Document[]): unknown } | null)?.insert(copies);
  parentPort?.postMessage('done');
});
parentPort?.postMessage(url);

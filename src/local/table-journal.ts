/**
 * Makes Azurite's tables survive `kill -9`. Azurite writes its whole database every five seconds, so a kill
 * loses what was acknowledged since. Here each change is appended to a file before it is answered, and a
 * transaction is one append, so that it is there whole or not at all.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';

export interface Document {
  readonly $loki?: number;
  readonly meta?: unknown;
  readonly [member: string]: unknown;
}
export interface Collection {
  readonly name: string;
  insert(document: Document): unknown;
  findOne(query: { readonly PartitionKey?: unknown; readonly RowKey?: unknown }): Document | null;
  on(event: 'insert' | 'update' | 'delete', listener: (document: Document) => void): void;
}
/** What is used of Azurite's store of tables, whose data is in collections of LokiJS. */
export interface TableStore {
  readonly TABLES_COLLECTION: string;
  readonly db: { getCollection(name: string): Collection | null };
  getTableCollectionName(account: unknown, table: unknown): string;
  createCollectionForTable(table: Document): void;
  beginBatchTransaction(...args: unknown[]): Promise<void>;
  endBatchTransaction(...args: unknown[]): Promise<void>;
}

type Change = readonly [collection: string, key: string, document: Document | null];

/** Brings back what `file` holds, and from here on keeps it. Returns the end of it. */
export function keepTables(store: TableStore, file: string): () => void {
  const kept = read(store, file);
  // Rewritten at every start, so that it holds what is there and not all that ever was.
  const all = [...kept].flatMap(([name, documents]) =>
    [...documents].map(([key, document]): Change => [name, key, document]),
  );
  writeFileSync(`${file}.new`, all.map(line).join(''));
  renameSync(`${file}.new`, file);
  const descriptor = openSync(file, 'a');

  let transaction: string[] | undefined;
  const append = (change: Change) => {
    if (transaction) transaction.push(line(change));
    else writeSync(descriptor, line(change));
  };
  const watch = (name: string) => {
    const collection = store.db.getCollection(name);
    const set = (document: Document) => append([name, keyOf(document), stored(document)]);
    collection?.on('insert', set);
    collection?.on('update', set);
    collection?.on('delete', (document) => append([name, keyOf(document), null]));
    return collection;
  };

  const createCollection = store.createCollectionForTable.bind(store);
  store.createCollectionForTable = (table) => {
    createCollection(table);
    watch(store.getTableCollectionName(table['account'], table['table']));
  };
  const begin = store.beginBatchTransaction.bind(store);
  store.beginBatchTransaction = async (...args) => {
    await begin(...args);
    transaction = [];
  };
  const end = store.endBatchTransaction.bind(store);
  store.endBatchTransaction = async (...args) => {
    // A transaction that failed is undone here, and the undoing is in the same append.
    await end(...args);
    if (transaction) writeSync(descriptor, transaction.join(''));
    transaction = undefined;
  };

  const tables = store.db.getCollection(store.TABLES_COLLECTION);
  for (const table of kept.get(store.TABLES_COLLECTION)?.values() ?? []) {
    tables?.insert({ ...table });
    createCollection(table);
    const name = store.getTableCollectionName(table['account'], table['table']);
    const collection = store.db.getCollection(name);
    for (const entity of kept.get(name)?.values() ?? []) collection?.insert(entity);
    watch(name);
  }
  watch(store.TABLES_COLLECTION);
  return () => closeSync(descriptor);
}

function read(store: TableStore, file: string): Map<string, Map<string, Document>> {
  const kept = new Map<string, Map<string, Document>>();
  if (!existsSync(file)) return kept;
  const lines = readFileSync(file, 'utf8').split('\n');
  // What follows the last newline is a write that a kill cut short, and nobody was told that it was done.
  for (const text of lines.slice(0, -1)) {
    const [name, key, document] = JSON.parse(text) as Change;
    const documents = kept.get(name) ?? new Map<string, Document>();
    kept.set(name, documents);
    if (document) documents.set(key, document);
    else documents.delete(key);
    // A table takes its entities with it.
    if (!document && name === store.TABLES_COLLECTION) {
      const [account, table] = JSON.parse(key) as [string, string];
      kept.delete(store.getTableCollectionName(account, table));
    }
  }
  return kept;
}

const line = (change: Change) => `${JSON.stringify(change)}\n`;
/** LokiJS gives each document a number of its own at every insert. */
const stored = ({ $loki: _number, meta: _meta, ...document }: Document): Document => document;
/** An entity by its keys, a table by its name. */
const keyOf = (document: Document) =>
  JSON.stringify([document['PartitionKey'] ?? document['account'], document['RowKey'] ?? document['table']]);

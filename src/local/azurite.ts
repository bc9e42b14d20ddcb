/** Azurite's tables, queues and blobs, each on a free loopback port, in memory. */
import { createRequire, Module } from 'node:module';
import { Readable } from 'node:stream';
import { PROOF_CONTAINER } from '../proof-container.ts';
import { type BlobStore, makeImmutable } from './immutable-container.ts';
import type { Collection, TableStore } from './table-journal.ts';

interface AzuriteServer {
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}
export interface TableServer extends AzuriteServer {
  readonly metadataStore: TableStore;
}
/** Where Azurite keeps the texts of messages: the metadata of a message holds what `appendExtent` returned. */
export interface ExtentStore {
  appendExtent(text: Buffer): Promise<Extent>;
  readExtent(extent: Extent | undefined): Promise<Readable>;
}
export interface Extent {
  readonly id: string;
  readonly offset: number;
  readonly count: number;
}
export interface QueueServer extends AzuriteServer {
  readonly metadataStore: { readonly db: { getCollection(name: string): Collection | null } };
  readonly extentStore: ExtentStore;
}

export interface BlobServer extends AzuriteServer {
  readonly metadataStore: BlobStore & QueueServer['metadataStore'];
  readonly extentStore: {
    appendExtent(content: Buffer | AsyncIterable<Uint8Array>): Promise<Extent>;
    readExtent(extent: Extent | undefined): Promise<Readable>;
    readExtents(extents: readonly Extent[], offset?: number, count?: number): Promise<Readable>;
  };
}

const SETTINGS = {
  enableAccessLog: false,
  enableDebugLog: false,
  loose: true,
  skipApiVersionCheck: true,
  disableProductStyleUrl: true,
  isMemoryPersistence: true,
};
const require = createRequire(import.meta.url);

/** Azurite loads these in any case and, as it is started here, calls none. They are half of all that it loads. */
const UNUSED = ['applicationinsights', 'axios', 'winston'];

function leaveOut(): void {
  const ofAzurite = createRequire(require.resolve('azurite/package.json'));
  for (const name of UNUSED) {
    const path = ofAzurite.resolve(name);
    require.cache[path] ??= Object.assign(new Module(path), { loaded: true });
  }
}

/**
 * LokiJS goes by the index of a query's first member and then looks at all that is left. Azurite asks for a
 * partition and a row, in this order, so each write looks at a whole partition; the row key first leaves one.
 */
function findByRowKeyFirst(store: TableStore): void {
  const createCollection = store.createCollectionForTable.bind(store);
  store.createCollectionForTable = (table) => {
    createCollection(table);
    const collection = store.db.getCollection(store.getTableCollectionName(table['account'], table['table']));
    if (!collection) return;
    const findOne = collection.findOne.bind(collection);
    collection.findOne = ({ PartitionKey, RowKey }) => findOne({ RowKey, PartitionKey });
  };
}

export async function startTableServer(): Promise<TableServer> {
  leaveOut();
  const { default: Server } = require('azurite/dist/src/table/TableServer');
  const { default: Configuration } = require('azurite/dist/src/table/TableConfiguration');
  const server = new Server(Object.assign(new Configuration('127.0.0.1', 0, 60), SETTINGS));
  await server.start();
  findByRowKeyFirst(server.metadataStore);
  return server;
}

/** The text of a message is kept in its metadata, so that one document of LokiJS is a whole message (queue-journal.ts). */
export async function startQueueServer(): Promise<QueueServer> {
  leaveOut();
  const { default: Server } = require('azurite/dist/src/queue/QueueServer');
  const { default: Configuration } = require('azurite/dist/src/queue/QueueConfiguration');
  const server = new Server(Object.assign(new Configuration('127.0.0.1', 0, 60), SETTINGS));
  const { extentStore } = server as QueueServer;
  extentStore.appendExtent = async (text) => ({ id: text.toString('base64'), offset: 0, count: text.length });
  extentStore.readExtent = async (extent) => Readable.from([Buffer.from(extent?.id ?? '', 'base64')]);
  // So nothing is left to collect, and what collects it would hold up the end of the process for minutes.
  server.gcManager.start = async () => undefined;
  await server.start();
  return server;
}

/** The content is kept in its metadata too, and the container of the proof has the rule of its deployed one. */
export async function startBlobServer(): Promise<BlobServer> {
  leaveOut();
  const { default: Server } = require('azurite/dist/src/blob/BlobServer');
  const { default: Configuration } = require('azurite/dist/src/blob/BlobConfiguration');
  const { default: StorageError } = require('azurite/dist/src/blob/errors/StorageError');
  const server = new Server(Object.assign(new Configuration('127.0.0.1', 0, 60), SETTINGS));
  const { extentStore, metadataStore } = server as BlobServer;
  const contentOf = (extent: Extent | undefined) => Buffer.from(extent?.id ?? '', 'base64');
  extentStore.appendExtent = async (content) => {
    const parts: Uint8Array[] = [];
    if (Buffer.isBuffer(content)) parts.push(content);
    else for await (const part of content) parts.push(part);
    const whole = Buffer.concat(parts);
    return { id: whole.toString('base64'), offset: 0, count: whole.length };
  };
  extentStore.readExtent = async (extent) => Readable.from([contentOf(extent)]);
  extentStore.readExtents = async (extents, offset = 0, count = Number.POSITIVE_INFINITY) => {
    let at = 0;
    // Only what is asked for is decoded: a blob of a day has thousands of blocks, of which the last few are read.
    const parts = extents.flatMap((extent) => {
      const [from, to] = [Math.max(0, offset - at), Math.min(extent.count, offset + count - at)];
      at += extent.count;
      return from < to ? [contentOf(extent).subarray(from, to)] : [];
    });
    return Readable.from([Buffer.concat(parts)]);
  };
  makeImmutable(
    metadataStore,
    PROOF_CONTAINER,
    (status, code, message, request) => new StorageError(status, code, message, request),
  );
  server.gcManager.start = async () => undefined;
  await server.start();
  return server;
}

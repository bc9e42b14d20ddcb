/** Azurite's tables and queues, each on a free loopback port, in memory. */
import { createRequire, Module } from 'node:module';
import { Readable } from 'node:stream';
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

const SETTINGS = {
  enableAccessLog: false,
  enableDebugLog: false,
  loose: true,
  skipApiVersionCheck: true,
  disableProductStyleUrl: true,
  isMemoryPersistence: true,
};
const require = createRequire(import.meta.url);

/** Azurite loads these in any case and, as it is started here, calls neither. They are half of all that it loads. */
const UNUSED = ['applicationinsights', 'winston'];

function leaveOut(): void {
  const ofAzurite = createRequire(require.resolve('azurite/package.json'));
  for (const name of UNUSED) {
    const path = ofAzurite.resolve(name);
    require.cache[path] ??= Object.assign(new Module(path), { loaded: true });
  }
}

export async function startTableServer(): Promise<TableServer> {
  leaveOut();
  const { default: Server } = require('azurite/dist/src/table/TableServer');
  const { default: Configuration } = require('azurite/dist/src/table/TableConfiguration');
  const server = new Server(Object.assign(new Configuration('127.0.0.1', 0, 60), SETTINGS));
  await server.start();
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

/** Azurite's tables on a free loopback port, in memory. */
import { createRequire } from 'node:module';
import type { TableStore } from './table-journal.ts';

export interface TableServer {
  readonly metadataStore: TableStore;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

export async function startTableServer(): Promise<TableServer> {
  const require = createRequire(import.meta.url);
  const { default: Server } = require('azurite/dist/src/table/TableServer');
  const { default: Configuration } = require('azurite/dist/src/table/TableConfiguration');
  const configuration = Object.assign(new Configuration('127.0.0.1', 0, 60), {
    enableAccessLog: false,
    enableDebugLog: false,
    loose: true,
    skipApiVersionCheck: true,
    disableProductStyleUrl: true,
    isMemoryPersistence: true,
  });
  const server = new Server(configuration);
  await server.start();
  return server;
}

/** Azurite's tables on a free loopback port, in memory. */
import { createRequire, Module } from 'node:module';
import type { TableStore } from './table-journal.ts';

export interface TableServer {
  readonly metadataStore: TableStore;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

/** Azurite loads these in any case and, as it is started here, calls neither. They are half of all that it loads. */
const UNUSED = ['applicationinsights', 'winston'];

export async function startTableServer(): Promise<TableServer> {
  const require = createRequire(import.meta.url);
  const ofAzurite = createRequire(require.resolve('azurite/package.json'));
  for (const name of UNUSED) {
    const path = ofAzurite.resolve(name);
    require.cache[path] ??= Object.assign(new Module(path), { loaded: true });
  }
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

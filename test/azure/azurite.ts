import { createRequire } from 'node:module';
import { createTables, type Tables } from '../../src/azure/tables.ts';
import { createTablesAt } from '../../src/local/tables.ts';

interface Server {
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

/** Azurite's tables in this process and in memory, with the broker's tables made. */
export async function startAzurite(): Promise<{ tables: Tables; url: string } & AsyncDisposable> {
  const require = createRequire(import.meta.url);
  const { default: TableServer } = require('azurite/dist/src/table/TableServer');
  const { default: Configuration } = require('azurite/dist/src/table/TableConfiguration');
  const configuration = Object.assign(new Configuration('127.0.0.1', 0, 60), {
    enableAccessLog: false,
    enableDebugLog: false,
    loose: true,
    skipApiVersionCheck: true,
    disableProductStyleUrl: true,
    isMemoryPersistence: true,
  });
  const server: Server = new TableServer(configuration);
  await server.start();
  const url = `${server.getHttpServerAddress()}/devstoreaccount1`;
  await createTablesAt(url);
  const tables = createTables(url, {
    getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
  });
  return { tables, url, [Symbol.asyncDispose]: () => server.close() };
}

import { createTables, type Tables } from '../../src/azure/tables.ts';
import { startTableServer } from '../../src/local/azurite.ts';
import { createTablesAt } from '../../src/local/tables.ts';

/** Azurite's tables in this process and in memory, with the broker's tables made. */
export async function startAzurite(): Promise<{ tables: Tables; url: string } & AsyncDisposable> {
  const server = await startTableServer();
  const url = `${server.getHttpServerAddress()}/devstoreaccount1`;
  await createTablesAt(url);
  const tables = createTables(url, {
    getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
  });
  return { tables, url, [Symbol.asyncDispose]: () => server.close() };
}

/** Runs in a worker: tables in memory, with an event loop of their own. Sends their address. */
import { parentPort } from 'node:worker_threads';
import { startTableServer } from '../../src/local/azurite.ts';
import { createTablesAt } from '../../src/local/tables.ts';

const server = await startTableServer();
const url = `${server.getHttpServerAddress()}/devstoreaccount1`;
await createTablesAt(url);
parentPort?.postMessage(url);

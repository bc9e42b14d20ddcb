import type { TokenCredential } from '@azure/core-auth';
import type { TableClient } from '@azure/data-tables';
import { isLoopback } from '../config.ts';

/**
 * The tables, made by the deployment: `state` (head, revocations, rotations), `audit` (who got what),
 * `ledger` (mint ledger and issued tokens), `history` (rotation steps), `events` (what was received).
 */
export const TABLE_NAMES = ['state', 'audit', 'ledger', 'history', 'events'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** Azurite's published development key: no secret, and good on loopback only. */
export const DEVELOPMENT_ACCOUNT = 'devstoreaccount1';
export const DEVELOPMENT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export type Tables = (name: TableName) => Promise<TableClient>;

/** Clients, made when first used: the SDK is loaded then too. Retries are call.ts's, so the SDK's are off. */
export function createTables(url: string, credential: () => Promise<TokenCredential>): Tables {
  const clients = new Map<TableName, Promise<TableClient>>();
  const open = async (name: TableName): Promise<TableClient> => {
    const { AzureNamedKeyCredential, TableClient } = await import('@azure/data-tables');
    const options = { retryOptions: { maxRetries: 0 } };
    return isLoopback(new URL(url).hostname)
      ? new TableClient(url, name, new AzureNamedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY), {
          ...options,
          allowInsecureConnection: true,
        })
      : new TableClient(url, name, await credential(), options);
  };
  return (name) => {
    let client = clients.get(name);
    if (client === undefined) {
      client = open(name);
      client.catch(() => clients.delete(name));
      clients.set(name, client);
    }
    return client;
  };
}

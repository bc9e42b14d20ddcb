/** Makes the broker's tables in Azurite, as the deployment does in Azure. */
import { AzureNamedKeyCredential, TableServiceClient } from '@azure/data-tables';
import { TABLE_NAMES } from '../azure/tables.ts';

/** Azurite's published development account. */
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** `url` with the account's path. Tables that exist stay as they are. */
export async function createTablesAt(url: string): Promise<void> {
  const client = new TableServiceClient(url, new AzureNamedKeyCredential(account, key), {
    allowInsecureConnection: true,
  });
  await Promise.all(TABLE_NAMES.map((name) => client.createTable(name)));
}

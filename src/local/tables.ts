/** Makes the broker's tables in Azurite, as the deployment does in Azure. */
import { AzureNamedKeyCredential, TableServiceClient } from '@azure/data-tables';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../facts/storage.ts';
import { TABLE_NAMES } from '../table-names.ts';

/** `url` with the account's path. Tables that exist stay as they are. */
export async function createTablesAt(url: string): Promise<void> {
  const credential = new AzureNamedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY);
  const client = new TableServiceClient(url, credential, { allowInsecureConnection: true });
  await Promise.all(TABLE_NAMES.map((name) => client.createTable(name)));
}

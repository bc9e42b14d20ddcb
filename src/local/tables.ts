/** Makes the broker's tables in Azurite, as the deployment does in Azure. */
import { createHmac } from 'node:crypto';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../facts/storage.ts';
import { TABLE_NAMES } from '../table-names.ts';

const CREATED = 204;
const EXISTS = 409;

/**
 * Without the SDK, which loads 230 modules: a start has no other use for it until the first exchange.
 * @param url with the account's path. Tables that exist stay as they are.
 */
export async function createTablesAt(url: string): Promise<void> {
  const date = new Date().toUTCString();
  // Shared Key Lite, https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
  const signature = createHmac('sha256', Buffer.from(DEVELOPMENT_KEY, 'base64'))
    .update(`${date}\n/${DEVELOPMENT_ACCOUNT}${new URL(url).pathname}/Tables`)
    .digest('base64');
  const headers = {
    'x-ms-date': date,
    'x-ms-version': '2019-02-02',
    authorization: `SharedKeyLite ${DEVELOPMENT_ACCOUNT}:${signature}`,
    accept: 'application/json;odata=nometadata',
    'content-type': 'application/json',
    prefer: 'return-no-content',
  };
  await Promise.all(
    TABLE_NAMES.map(async (name) => {
      const body = JSON.stringify({ TableName: name });
      const answer = await fetch(`${url}/Tables`, { method: 'POST', headers, body });
      const { status } = answer;
      // Its connection cannot be used again before.
      await answer.body?.cancel();
      if (status !== CREATED && status !== EXISTS)
        throw new Error(`the table ${name} is not made: ${status}`);
    }),
  );
}

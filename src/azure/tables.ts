import type { TokenCredential } from '@azure/core-auth';
import type { TableClient, TableServiceClientOptions } from '@azure/data-tables';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../facts/storage.ts';
import type { TableName } from '../table-names.ts';
import { UpstreamFailure } from '../upstream.ts';

export type Tables = (name: TableName) => Promise<TableClient>;

type Policy = NonNullable<TableServiceClientOptions['additionalPolicies']>[number]['policy'];

/**
 * The SDK reads an answer of 200 that is not a list as a list without rows. That would mean that nothing is revoked
 * and no token is valid, so an answer without a list is treated as an outage.
 */
const listsAreLists: Policy = {
  name: 'listsAreLists',
  sendRequest: async (request, next) => {
    const response = await next(request);
    const isQuery = request.method === 'GET' && new URL(request.url).pathname.endsWith('()');
    if (isQuery && response.status === 200 && !isList(response.bodyAsText))
      throw new UpstreamFailure('tables', 'the answer is not a list of rows');
    return response;
  },
};

function isList(text: string | null | undefined): boolean {
  try {
    return Array.isArray((JSON.parse(text ?? '') as { value?: unknown } | null)?.value);
  } catch {
    return false;
  }
}

/** Opens each table's client, and loads the SDK, at the first use. The SDK's retries are off: `call.ts` retries. */
export function createTables(url: string, credential: TokenCredential): Tables {
  const clients = new Map<TableName, Promise<TableClient>>();
  const open = async (name: TableName): Promise<TableClient> => {
    const { AzureNamedKeyCredential, TableClient } = await import('@azure/data-tables');
    const options: TableServiceClientOptions = {
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [{ policy: listsAreLists, position: 'perRetry' }],
    };
    return new URL(url).protocol === 'http:'
      ? new TableClient(url, name, new AzureNamedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY), {
          ...options,
          allowInsecureConnection: true,
        })
      : new TableClient(url, name, credential, options);
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

/** Milliseconds since the Unix epoch do not fit the table's 32-bit integer, and the SDK would send them as a double. */
export function int64(value: number): { type: 'Int64'; value: string } {
  return { type: 'Int64', value: String(Math.round(value)) };
}

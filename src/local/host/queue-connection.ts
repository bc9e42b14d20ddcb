/**
 * Opens the queues of a trigger's `connection`, from the app settings as the host reads them: `NAME` holds a connection
 * string, or `NAME__queueServiceUri` an address, with `NAME__clientId` the managed identity.
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#connections
 */
import type { QueueClient } from '@azure/storage-queue';

export type Settings = Readonly<Record<string, string | undefined>>;
export type OpenQueue = (queue: string) => QueueClient;

/** @throws Error that names the settings, where there is no such connection */
export async function openConnection(name: string, settings: Settings): Promise<OpenQueue> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  // The host reads a message again at its next poll, so a call is not repeated here.
  const options = { retryOptions: { maxTries: 1 } };
  const text = settings[name];
  const uri = settings[`${name}__queueServiceUri`];
  if (text === undefined && uri === undefined)
    throw new Error(`the connection ${name} is neither in ${name} nor in ${name}__queueServiceUri`);
  if (uri === undefined) {
    const client = QueueServiceClient.fromConnectionString(text ?? '', options);
    return (queue) => client.getQueueClient(queue);
  }
  const { ManagedIdentityCredential } = await import('@azure/identity');
  const clientId = settings[`${name}__clientId`];
  const credential = new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
  const client = new QueueServiceClient(uri, credential, options);
  return (queue) => client.getQueueClient(queue);
}

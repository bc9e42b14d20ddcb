/** Makes the broker's queues in Azurite, as the deployment does in Azure. */
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../facts/storage.ts';
import { poisonOf, QUEUE_NAMES } from '../queue-names.ts';

/** `url` with the account's path. Queues that exist stay as they are. */
export async function createQueuesAt(url: string): Promise<void> {
  const { QueueServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-queue');
  const client = new QueueServiceClient(
    url,
    new StorageSharedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY),
  );
  const names = QUEUE_NAMES.flatMap((name) => [name, poisonOf(name)]);
  await Promise.all(names.map((name) => client.getQueueClient(name).createIfNotExists()));
}

/** Makes the broker's queues in Azurite, as the deployment does in Azure. */
import { poisonOf, QUEUE_NAMES } from '../queue-names.ts';
import { accountSignature } from './account-signature.ts';

const CREATED = 201;
const EXISTS = 204;

/** `url` with the account's path. Queues that exist stay as they are. */
export async function createQueuesAt(url: string): Promise<void> {
  const signature = accountSignature();
  const headers = { 'x-ms-version': '2021-12-02' };
  await Promise.all(
    QUEUE_NAMES.flatMap((name) => [name, poisonOf(name)]).map(async (name) => {
      const answer = await fetch(`${url}/${name}?${signature}`, { method: 'PUT', headers });
      const { status } = answer;
      await answer.body?.cancel();
      if (status !== CREATED && status !== EXISTS)
        throw new Error(`the queue ${name} is not made: ${status}`);
    }),
  );
}

/**
 * Puts a message on a queue by one call of the storage service. The Functions host has an output binding for it, which
 * answers the caller with 500 after 24 s while the service is down; an event or a demand must not wait for that.
 * https://learn.microsoft.com/rest/api/storageservices/put-message
 */
import type { AccessToken } from '@azure/core-auth';
import type { Clock, Queue } from '../ports.ts';
import type { QueueName } from '../queue-names.ts';
import { call } from './call.ts';
import { failed, fetchText } from './fetch.ts';

/** The scope that the identity's token must have. */
export const QUEUES_SCOPE = 'https://storage.azure.com/.default';
/** How long the service keeps a message that nobody takes; the longest time an event is worth handling. */
const KEPT_SECONDS = 7 * 86_400;

/** @param url the queue endpoint. @param token returns a token of the identity that may put messages */
export function createQueue(
  url: string,
  queue: QueueName,
  token: () => Promise<AccessToken>,
  clock: Clock,
): Queue {
  const address = `${url}/${queue}/messages?messagettl=${KEPT_SECONDS}`;
  return {
    put: (text, deadlineMs) =>
      call(
        'queues',
        `put into ${queue}`,
        async (signal) => {
          const answer = await fetchText('queues', address, {
            method: 'POST',
            headers: {
              authorization: `Bearer ${(await token()).token}`,
              'content-type': 'application/xml',
              'x-ms-version': '2021-12-02',
              'x-ms-date': new Date(clock()).toUTCString(),
            },
            // The queue trigger takes base64, which needs no escape in XML.
            body: `<QueueMessage><MessageText>${Buffer.from(text).toString('base64')}</MessageText></QueueMessage>`,
            signal,
          });
          if (answer.status !== 201) throw failed('queues', answer);
        },
        { deadlineMs },
      ),
  };
}

/**
 * Event Grid's delivery to the storage queue `events`: one event a message, base64 of its JSON.
 * https://learn.microsoft.com/azure/event-grid/handler-storage-queues
 */
import { DEVELOPMENT_ACCOUNT } from '../../facts/storage.ts';
import type { Faults } from './faults.ts';
import type { RequestLog } from './requests.ts';

export interface EventQueueOptions {
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly now: () => number;
  /** Azurite's own address; empty while it has none. */
  readonly queues: () => string;
  /** With it Azurite accepts what Event Grid's own identity may do in Azure. */
  readonly signature: string;
}

const OPERATION = 'PutMessage events';
const ANSWER_TIMEOUT_MS = 30_000;

export function createEventQueue(options: EventQueueOptions): (text: string) => Promise<number> {
  const { faults, requests } = options;

  async function put(text: string): Promise<number> {
    const fault = faults.strike('queues', OPERATION);
    if (fault?.mode === 'status') return fault.status;
    if (fault?.mode === 'down' || fault?.mode === 'garbage' || options.queues() === '') return 0;
    const url = `${options.queues()}/${DEVELOPMENT_ACCOUNT}/events/messages?${options.signature}`;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/xml', 'x-ms-version': '2021-12-02' },
        body: `<QueueMessage><MessageText>${Buffer.from(text).toString('base64')}</MessageText></QueueMessage>`,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      await answer.arrayBuffer();
      return fault?.mode === 'lost' ? 0 : answer.status;
    } catch {
      return 0; // No answer: tried again, and shown in the log as it is.
    }
  }

  return async (text) => {
    const status = await put(text);
    requests.add({
      atMs: options.now(),
      service: 'queues',
      operation: OPERATION,
      resource: 'events',
      status,
      by: undefined,
      keyFingerprint: undefined,
      fault: undefined,
    });
    return status;
  };
}

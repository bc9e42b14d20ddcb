/**
 * The simulated Event Grid: at least once, in no order, retried on its own schedule in virtual time. All that
 * the simulated services tell of goes to the rotator's queue, as infra/subscriptions.bicep delivers it; what revokes goes
 * to the issuer's webhook, and comes from whoever asks for it.
 * https://learn.microsoft.com/azure/event-grid/delivery-and-retry
 */
import { randomUUID } from 'node:crypto';
import type { EventGridEvent } from './accounts-events.ts';

/** One event in the CloudEvents 1.0 schema, which Microsoft Graph uses. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventEntry {
  readonly n: number;
  readonly at: string;
  readonly type: string;
  readonly id: string;
  readonly subject: string;
  /** Of the last attempt: an HTTP status, or 0 where there was no answer. */
  status: number;
  attempts: number;
  /** `unsubscribed`: no subscription takes it. */
  state: 'waiting' | 'delivered' | 'dropped' | 'unsubscribed';
  readonly event: EventGridEvent | CloudEvent;
}

export interface EventSender {
  publish(event: EventGridEvent | CloudEvent): void;
  after(n: number): readonly EventEntry[];
  readonly last: number;
  /** Tries what is due by now: for when virtual time has moved. */
  wake(): void;
  close(): void;
}

export interface EventSenderOptions {
  /** Puts a text on the queue `events`. @returns the answer's status; 0 where there was none */
  queue(text: string): Promise<number>;
  readonly now: () => number;
}

const retryAfterSeconds = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200];
const liveSeconds = 86_400;
const maxAttempts = 30;
/** For these Event Grid does not try again. */
const refusals = [400, 413];
const lookEveryMs = 100;
const kept = 10_000;

export function createEventSender(options: EventSenderOptions): EventSender {
  const entries: EventEntry[] = [];
  const due = new Map<EventEntry, number>();
  const closing = new AbortController();
  let last = 0;
  // Virtual time may run or jump ahead of any timer, so it is looked at; only while something waits.
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    for (const [entry, atMs] of due) {
      if (atMs > options.now()) continue;
      due.delete(entry);
      void attempt(entry);
    }
    if (due.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }

  async function attempt(entry: EventEntry): Promise<void> {
    entry.attempts += 1;
    entry.status = await options.queue(write(entry.event));
    if (closing.signal.aborted) return;
    if (entry.status >= 200 && entry.status <= 204) entry.state = 'delivered';
    else if (refusals.includes(entry.status) || isSpent(entry, options.now())) entry.state = 'dropped';
    else {
      const seconds = retryAfterSeconds[Math.min(entry.attempts, retryAfterSeconds.length) - 1] ?? 0;
      due.set(entry, options.now() + seconds * 1000);
      timer ??= setInterval(wake, lookEveryMs).unref();
    }
  }

  return {
    publish(event) {
      last += 1;
      const entry: EventEntry = {
        n: last,
        at: new Date(options.now()).toISOString(),
        type: 'type' in event ? event.type : event.eventType,
        id: event.id,
        subject: event.subject,
        status: 0,
        attempts: 0,
        state: 'waiting',
        event,
      };
      entries.push(entry);
      if (entries.length > kept) entries.shift();
      if (isSubscribed(event)) void attempt(entry);
      else entry.state = 'unsubscribed';
    },
    after: (n) => entries.filter((entry) => entry.n > n),
    get last() {
      return last;
    },
    wake,
    close() {
      closing.abort();
      clearInterval(timer);
    },
  };
}

/** Listing keys makes an event of the Activity Log too, and the rotator lists them in every tick. */
const ACCOUNT_CHANGES = ['regenerateKey/action', 'write', 'delete'].map(
  (operation) => `Microsoft.CognitiveServices/accounts/${operation}`,
);

/** As infra/activity-subscription.bicep filters. */
function isSubscribed(event: EventGridEvent | CloudEvent): boolean {
  if ('type' in event || !event.eventType.startsWith('Microsoft.Resources.')) return true;
  return ACCOUNT_CHANGES.includes(String(event.data['operationName']));
}

function isSpent(entry: EventEntry, nowMs: number): boolean {
  return entry.attempts >= maxAttempts || nowMs - Date.parse(entry.at) > liveSeconds * 1000;
}

function write(event: EventGridEvent | CloudEvent): string {
  // Ticks do not fit into a double; Graph writes them as a bare number all the same.
  return JSON.stringify(event).replace(/"sequenceNumber":"(\d+)"/, '"sequenceNumber":$1');
}

/** What Graph says about a user or a group: that it changed, and nothing of what. */
export function graphEvent(type: 'User' | 'Group', id: string, tenantId: string, nowMs: number): CloudEvent {
  const subject = `${type}s/${id}`;
  const time = new Date(nowMs).toISOString().replace('Z', '0000Z');
  const ticks = BigInt(nowMs) * 10_000n + 621_355_968_000_000_000n;
  return {
    specversion: '1.0',
    id: randomUUID(),
    type: `Microsoft.Graph.${type}Updated`,
    source: `/tenants/${tenantId}/applications/2f2b5a3c-1111-4222-8333-abcdefabcdef`,
    subject,
    time,
    datacontenttype: 'application/json',
    data: {
      changeType: 'updated',
      clientState: 'local',
      resource: subject,
      resourceData: {
        '@odata.type': `#Microsoft.Graph.${type}`,
        '@odata.id': subject,
        id,
        organizationId: tenantId,
        eventTime: time,
        sequenceNumber: String(ticks),
      },
      subscriptionExpirationDateTime: new Date(nowMs + 2 * 86_400_000).toISOString(),
      subscriptionId: '0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e',
      tenantId,
    },
  };
}

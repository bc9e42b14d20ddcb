/**
 * The simulated Event Grid: at least once, in no order, retried on its own schedule in virtual time.
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
  state: 'waiting' | 'delivered' | 'dropped';
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
  /** The broker's base URL; undefined while there is none. */
  to(): string | undefined;
  readonly now: () => number;
}

const retryAfterSeconds = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200];
const liveSeconds = 86_400;
const maxAttempts = 30;
/** For these Event Grid does not try again. */
const refusals = [400, 401, 413];
const answerTimeoutMs = 30_000;
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
    entry.status = await deliver(entry, options.to(), closing.signal);
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
      void attempt(entry);
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

function isSpent(entry: EventEntry, nowMs: number): boolean {
  return entry.attempts >= maxAttempts || nowMs - Date.parse(entry.at) > liveSeconds * 1000;
}

/** The answer's status; 0 where there was none. */
async function deliver(entry: EventEntry, to: string | undefined, closing: AbortSignal): Promise<number> {
  if (to === undefined) return 0;
  const isCloudEvent = 'specversion' in entry.event;
  try {
    const answer = await fetch(`${to}/runtime/webhooks/eventgrid?functionName=react`, {
      method: 'POST',
      headers: {
        'content-type': isCloudEvent
          ? 'application/cloudevents+json; charset=utf-8'
          : 'application/json; charset=utf-8',
        'aeg-event-type': 'Notification',
        'aeg-subscription-name': 'REACT',
        'aeg-delivery-count': String(entry.attempts - 1),
        'aeg-data-version': isCloudEvent ? '' : entry.event.dataVersion,
        'aeg-metadata-version': '1',
        'aeg-output-event-id': entry.id,
      },
      body: write(entry.event),
      signal: AbortSignal.any([closing, AbortSignal.timeout(answerTimeoutMs)]),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0; // No answer: tried again, and shown in the log as it is.
  }
}

/** Event Grid schema: an array of one. CloudEvents: the event itself. */
function write(event: EventGridEvent | CloudEvent): string {
  if (!('specversion' in event)) return JSON.stringify([event]);
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

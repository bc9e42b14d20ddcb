/**
 * Handles one event of Event Grid. It returns when the event is done or stored as poison, and then it is not delivered
 * again; it throws UpstreamFailure when the event must be delivered again. Events that come twice or in another order
 * end in the same state. The webhook's system key, the queue's and the topic's access control decide who can send
 * events. What an event says about Azure is not believed but read again from Azure.
 */
import { iso } from '../../iso.ts';
import type { Clock, Log } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { keptText } from '../effect.ts';
import type { EventStore } from '../ports.ts';
import { type Envelope, readEnvelope, shape } from './envelope.ts';

export interface ReactDeps {
  readonly events: EventStore;
  readonly now: Clock;
  readonly log: Log;
}

/** The event can never be used. It is kept for people, with the reason. */
export interface Poison {
  readonly kind: 'poison';
  readonly why: string;
}
export const poison = (why: string): Poison => ({ kind: 'poison', why });

/** @returns the outcome in a few words, for the log. @throws UpstreamFailure when the event must come again */
export type Handler = (event: Envelope, receivedAtMs: number, raw: unknown) => Promise<string | Poison>;

const KEEP_POISON_MS = 90 * 86_400_000;

/**
 * @param handlers by the type of the event, in any case
 * @returns the reaction, which returns its outcome in a few words, for the log
 */
export function createReact(
  { events, now, log }: ReactDeps,
  handlers: Readonly<Record<string, Handler>>,
): (event: unknown) => Promise<string> {
  const byType = new Map(Object.entries(handlers).map(([type, handler]) => [type.toLowerCase(), handler]));
  const unknownTypes = new Map<string, number>();

  async function keep(event: unknown, envelope: Envelope | undefined, why: string): Promise<string> {
    const { id = '', type = '', source = '', subject = '' } = envelope ?? {};
    const sent = { id, type, source, subject, why, shape: shape(event) };
    // All these texts come from the sender, who may have put a key or a token into any of them, also into a name.
    const safe = Object.entries(sent).map(([name, value]) => [name, keptText(value, 1_000)]);
    const record = { ...Object.fromEntries(safe), receivedAt: iso(now()) };
    const key = sha256(JSON.stringify(sent));
    await events.keepFirst('poison', key, record, now() + KEEP_POISON_MS);
    log('event_poison', { id: keptText(id, 100), type: keptText(type, 100), why });
    return 'poison';
  }

  return async (event) => {
    const receivedAtMs = now();
    const envelope = readEnvelope(event);
    if ('kind' in envelope) return keep(event, undefined, envelope.problem);
    const handler = byType.get(envelope.type.toLowerCase());
    if (handler === undefined) {
      const type = keptText(envelope.type, 100);
      // The map is bounded, because a sender can invent any number of types.
      const seen = (unknownTypes.get(type) ?? 0) + 1;
      if (unknownTypes.size < 1_000 || unknownTypes.has(type)) unknownTypes.set(type, seen);
      log('event_unknown', { type, seen });
      return 'unknown type';
    }
    const handled = await handler(envelope, receivedAtMs, event);
    const outcome = typeof handled === 'string' ? handled : await keep(envelope, envelope, handled.why);
    log('event', {
      // The log itself prints what is as short as a trace id, and a key of 32 digits is.
      id: keptText(envelope.id, 100),
      type: envelope.type,
      outcome,
      tookMs: now() - receivedAtMs,
    });
    return outcome;
  };
}

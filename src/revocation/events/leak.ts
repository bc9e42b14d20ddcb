/**
 * A leaked key that is reported at the issuer's webhook. Only the rotator app can find its slot, so the event is passed
 * on, and acknowledged only when the rotator has handled it: then no instance hands out a token of that key any more.
 */
import type { Clock, Queue } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { UpstreamFailure } from '../../upstream.ts';
import type { EventStore } from '../ports.ts';
import { type Envelope, text } from './envelope.ts';
import type { Handler } from './react.ts';

/** Anybody who may publish events makes such records. An event that comes again later than that is handled again. */
const KEEP_MS = 3_600_000;
/** Event Grid waits for 30 s, and delivers the event again after that. */
const MAX_LOOKS = 80;
const LOOK_EVERY_MS = 250;
const MAX_PUT_MS = 5_000;

const keyOf = ({ id, source, data }: Envelope): string =>
  sha256(JSON.stringify([id, source, text(data, 'sha256')?.toLowerCase() ?? '']));

/** The rotator's side: what came of the event is on record before it counts as handled. */
export function recorded(handler: Handler, events: EventStore, now: Clock): Handler {
  return async (event, receivedAtMs, raw) => {
    const handled = await handler(event, receivedAtMs, raw);
    const outcome = typeof handled === 'string' ? handled : 'poison';
    await events.keepFirst('handled', keyOf(event), { outcome }, now() + KEEP_MS);
    return handled;
  };
}

export interface LeakDeps {
  readonly events: EventStore;
  readonly toRotator: Queue;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The issuer's side. @throws UpstreamFailure when the rotator has not handled it in time: it must come again */
export function createLeakReport({ events, toRotator, sleep }: LeakDeps): Handler {
  return async (event, _receivedAtMs, raw) => {
    const key = keyOf(event);
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const handled = await events.find('handled', key);
      if (handled !== undefined) return `by the rotator: ${handled['outcome']}`;
      if (looks === 0) await toRotator.put(JSON.stringify(raw), MAX_PUT_MS);
      await sleep(LOOK_EVERY_MS);
    }
    throw new UpstreamFailure('queues', 'the rotator app has not handled a leaked key yet');
  };
}

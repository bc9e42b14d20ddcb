/**
 * A leaked key that is reported at the issuer's webhook. Only the rotator app can find its slot, so the event is passed
 * on, and acknowledged only when the rotator has handled it: then no instance hands out a token of that key any more.
 */
import type { Clock, Queue } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { UpstreamFailure } from '../../upstream.ts';
import type { EventStore } from '../ports.ts';
import { type Envelope, text } from './envelope.ts';
import { type Handler, poison } from './react.ts';
import { readLeakedKey } from './request.ts';

/** Anybody who may publish events makes such records. An event that comes again later than that is handled again. */
const KEEP_MS = 3_600_000;
/** In all 20 s: Event Grid waits for 30 s, and delivers the event again after that. The rotator takes 2 s at most. */
const PAUSES_MS = [250, 500, 1_000, 1_000, 1_000, 2_000, 2_000, 3_000, 4_000, 5_250];
const MAX_PUT_MS = 5_000;
/** What came of it is in the rotator's log, and in the record. */
const HANDLED = 'handled by the rotator';

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
  /** Whether the rotator has put it on record. Asked often, so it is no more than one cheap read of a row. */
  readonly isHandled: (key: string) => Promise<boolean>;
  readonly toRotator: Queue;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The issuer's side. @throws UpstreamFailure when the rotator has not handled it in time: it must come again */
export function createLeakReport({ isHandled, toRotator, sleep }: LeakDeps): Handler {
  return async (event, _receivedAtMs, raw) => {
    const read = readLeakedKey(event.data);
    if ('kind' in read) return poison(read.problem);
    const key = keyOf(event);
    if (await isHandled(key)) return HANDLED;
    await toRotator.put(JSON.stringify(raw), MAX_PUT_MS);
    for (const pauseMs of PAUSES_MS) {
      await sleep(pauseMs);
      if (await isHandled(key)) return HANDLED;
    }
    throw new UpstreamFailure('queues', 'the rotator app has not handled a leaked key yet');
  };
}

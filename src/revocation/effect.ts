/** Time-to-effect: whoever is responsible must be able to say when access ended, and what went on living. */
import type { Log } from '../ports.ts';
import { withoutSecrets } from '../secret.ts';
import type { EventStore } from './ports.ts';

/** How fast a revocation worked, and what it could not end. */
export interface Effect {
  /** A scope's key, or `key:<resource>:<slot>` for a leaked key. */
  readonly key: string;
  readonly receivedAtMs: number;
  readonly inForceAtMs: number;
  /** No token handed out before lives longer than this. */
  readonly lastTokenUntilMs: number;
}
interface Cause {
  readonly source: string;
  readonly reason: string;
}
export type RecordEffect = (effect: Effect, cause: Cause) => Promise<Effect>;

const KEEP_MS = 366 * 86_400_000;

/** Keeps the first record of an effect, whatever is repeated later, and logs it. @throws UpstreamFailure */
export function createRecordEffect(events: EventStore, log: Log): RecordEffect {
  return async ({ key, receivedAtMs, inForceAtMs, lastTokenUntilMs }, { source, reason }) => {
    const record = {
      key,
      source,
      reason,
      receivedAt: iso(receivedAtMs),
      inForceAt: iso(inForceAtMs),
      lastTokenUntil: iso(lastTokenUntilMs),
    };
    const kept = await events.keepFirst(
      'effect',
      effectKey(receivedAtMs, key),
      record,
      inForceAtMs + KEEP_MS,
    );
    const first = {
      key,
      receivedAtMs,
      inForceAtMs: Date.parse(kept['inForceAt'] ?? ''),
      lastTokenUntilMs: Date.parse(kept['lastTokenUntil'] ?? ''),
    };
    log('revoked', { ...kept, timeToEffectMs: first.inForceAtMs - receivedAtMs });
    return first;
  };
}

/** Sorts by time, so that what happened lately is one range of keys. */
export function effectKey(receivedAtMs: number, key: string): string {
  return `${iso(receivedAtMs)} ${key}`;
}

const MAX_TEXT = 256;

/** Words of somebody else, as far as they may be kept. */
export function keptText(text: string, most = MAX_TEXT): string {
  return withoutSecrets(text).slice(0, most);
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Records when a revocation was in force, and until when tokens from before it may still be used at Azure. */
import { iso } from '../iso.ts';
import type { Log } from '../ports.ts';
import { withoutSecrets } from '../secret.ts';
import type { EventStore } from './ports.ts';

/** When a revocation was in force, and what it could not end. */
export interface Effect {
  /** A scope's key, or `key:<resource>:<slot>` for a leaked key. */
  readonly key: string;
  readonly receivedAtMs: number;
  readonly inForceAtMs: number;
  /** All tokens handed out before the revocation have expired by then. */
  readonly lastTokenUntilMs: number;
}
interface Cause {
  readonly source: string;
  readonly reason: string;
}
export type RecordEffect = (effect: Effect, cause: Cause) => Promise<Effect>;

const KEEP_MS = 366 * 86_400_000;

/** Stores the effect and logs it. When it is recorded again, the first record stays. @throws UpstreamFailure */
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

/** The key starts with the time, so the latest effects are one range of keys. */
export function effectKey(receivedAtMs: number, key: string): string {
  return `${iso(receivedAtMs)} ${key}`;
}

const MAX_TEXT = 256;

/** A text that somebody else sent, without tokens and keys, and shortened, so that it may be stored. */
export function keptText(text: string, most = MAX_TEXT): string {
  return withoutSecrets(text).slice(0, most);
}

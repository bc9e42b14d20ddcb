/**
 * The one way in which anything gets revoked: write, then bump the head, then say so. When `revoke` returns,
 * every instance refuses (after `freshnessMs`, where a deployment allows one).
 */
import type { Policy } from '../policy/schema.ts';
import type { Clock, Head, Log } from '../ports.ts';
import { withoutSecrets } from '../secret.ts';
import { type Change, raise } from './entry.ts';
import type { EventStore, RevocationTable } from './ports.ts';
import { longestTokenMs } from './reach.ts';
import { scopeKey } from './scope.ts';

export interface RevokeDeps {
  readonly table: RevocationTable;
  readonly head: Head;
  readonly events: EventStore;
  readonly policy: Policy;
  readonly freshnessMs: number;
  readonly now: Clock;
  readonly log: Log;
}

/** How fast a revocation worked, and what it could not end. */
export interface Effect {
  readonly key: string;
  readonly receivedAtMs: number;
  readonly inForceAtMs: number;
  /** No token handed out before lives longer than this. */
  readonly lastTokenUntilMs: number;
}

export type Revoke = (changes: readonly Change[], lastTokenUntilMs?: number) => Promise<readonly Effect[]>;

/** Effects are kept for a year: whoever is responsible must be able to say when access ended. */
/** Characters of a reason or a source that are kept. */
const MOST_TEXT = 256;
const KEEP_EFFECTS_MS = 366 * 86_400_000;

/** @throws UpstreamFailure; asking again is safe and finishes what was begun. */
export function createRevoke(deps: RevokeDeps): Revoke {
  const { table, head, events, policy, freshnessMs, now, log } = deps;
  return async (asked, lastTokenUntilMs) => {
    if (asked.length === 0) return [];
    const changes = asked.map((change) => ({
      ...change,
      reason: withoutSecrets(change.reason).slice(0, MOST_TEXT),
      source: withoutSecrets(change.source).slice(0, MOST_TEXT),
    }));
    const entries = await Promise.all(
      changes.map((change) => table.update(scopeKey(change.scope), (current) => raise(current, change))),
    );
    // Also when nothing changed: whoever wrote the entry may have died before its bump.
    await head.bump();
    const inForceAtMs = now() + freshnessMs;
    return Promise.all(
      changes.map(async (change, index) => {
        const key = scopeKey(change.scope);
        const receivedAtMs = entries[index]?.receivedAtMs ?? change.receivedAtMs;
        const kept = await events.keepFirst(
          'effect',
          effectKey(receivedAtMs, key),
          {
            key,
            source: change.source,
            reason: change.reason,
            receivedAt: iso(receivedAtMs),
            inForceAt: iso(inForceAtMs),
            lastTokenUntil: iso(lastTokenUntilMs ?? inForceAtMs + longestTokenMs(policy, change.scope)),
          },
          inForceAtMs + KEEP_EFFECTS_MS,
        );
        const effect = {
          key,
          receivedAtMs,
          inForceAtMs: Date.parse(kept['inForceAt'] ?? ''),
          lastTokenUntilMs: Date.parse(kept['lastTokenUntil'] ?? ''),
        };
        log('revoked', {
          scope: key,
          source: change.source,
          reason: change.reason,
          blocked: entries[index]?.blocked,
          cutOff: iso((entries[index]?.cutOffSeconds ?? 0) * 1000),
          receivedAt: kept['receivedAt'],
          inForceAt: kept['inForceAt'],
          timeToEffectMs: effect.inForceAtMs - receivedAtMs,
          lastTokenUntil: kept['lastTokenUntil'],
        });
        return effect;
      }),
    );
  };
}

/** Sorts by time, so that what happened lately is one range of keys. */
export function effectKey(receivedAtMs: number, key: string): string {
  return `${iso(receivedAtMs)} ${key}`;
}

const iso = (ms: number): string => new Date(ms).toISOString();

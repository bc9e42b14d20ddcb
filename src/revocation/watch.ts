/**
 * The rotator app's part of the revocation: it handles the events that need the accounts, the vault or the directory,
 * reads the directory, and removes what has expired.
 */
import type { Policy } from '../policy/schema.ts';
import type { Clock, Head, Log } from '../ports.ts';
import { createRecordEffect } from './effect.ts';
import { isSpent, KEEP_MS } from './entry.ts';
import { createAzureHandlers } from './events/azure.ts';
import { createReview } from './events/directory.ts';
import { KEY_LEAKED, REVOCATION_REQUESTED } from './events/event-types.ts';
import { recorded } from './events/leak.ts';
import { createReact } from './events/react.ts';
import { createRequested } from './events/requested.ts';
import type { Directory, EventStore, KeyRotation, RevocationTable } from './ports.ts';
import { createRevoke, fewAtOnce } from './revoke.ts';
import { scopeKey } from './scope.ts';

export interface WatchDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly homeTenantId: string;
  /** The rotator's identity. Events about its own changes to accounts are ignored (invariant 10). */
  readonly rotatorClientId: string;
  /** That of the issuer app: when a revocation that is made here is in force there. */
  readonly freshnessMs: number;
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly head: Head;
  /** Removes the records of issued tokens that have expired. */
  readonly sweepLedger: (nowMs: number) => Promise<void>;
  readonly directory: Directory;
  readonly keys: KeyRotation;
  readonly now: Clock;
  readonly log: Log;
}

export interface Watch {
  /** Handles one event of Event Grid. Throws UpstreamFailure when it must be delivered again. */
  readonly react: (event: unknown) => Promise<string>;
  /** Removes expired entries and records, and reads the changes in the directory since the last time. */
  readonly reconcile: () => Promise<void>;
}

export function createWatch(deps: WatchDeps): Watch {
  const recordEffect = createRecordEffect(deps.events, deps.log);
  const revoke = createRevoke({ ...deps, recordEffect });
  const shared = { ...deps, recordEffect, revoke };
  const review = createReview(shared);
  const azure = createAzureHandlers({ ...shared, reviewUser: review.user, reviewGroups: review.groups });
  return {
    react: createReact(deps, {
      // It is delivered to the issuer. Should one come here all the same, it must not be lost.
      [REVOCATION_REQUESTED]: createRequested(shared),
      ...azure,
      [KEY_LEAKED]: recorded(azure[KEY_LEAKED], deps.events, deps.now),
    }),
    reconcile: async () => {
      // The directory is read even when tidying fails, for example when one tick cannot remove all expired rows.
      try {
        await tidy(deps);
      } finally {
        await review.sweep();
      }
    },
  };
}

const TIDY_EVERY_MS = 3_600_000;

/** Removes expired entries and records. It reads whole tables, so it runs once an hour and not at every tick. */
async function tidy({ table, events, sweepLedger, now }: WatchDeps): Promise<void> {
  const last = await events.find('cursor', 'tidied');
  if (last !== undefined && now() - Number(last['atMs']) < TIDY_EVERY_MS) return;
  const spent = (await table.list()).filter((entry) => isSpent(entry, now()));
  await fewAtOnce(spent, ({ scope }) => table.remove(scopeKey(scope), (current) => isSpent(current, now())));
  await events.sweep(now());
  await sweepLedger(now());
  // What was logged at the sweep before is forgotten now, an hour later: whoever exchanges looks every minute.
  const logged = await table.trimLog(Number(last?.['logged'] ?? 0));
  await events.replace('cursor', 'tidied', { atMs: String(now()), logged: String(logged) }, now() + KEEP_MS);
}

/** Builds the revocation capability from its ports. */
import type { Denial } from '../denial.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller, Clock, Head, IssuedRecord, IssuedTokens, Log, Snapshot } from '../ports.ts';
import { type Admit, createAdmit } from './admit.ts';
import { createRecordEffect } from './effect.ts';
import { isSpent, KEEP_MS } from './entry.ts';
import { createReview } from './events/directory.ts';
import { createReact } from './events/react.ts';
import { createIssued, type Issued } from './issued.ts';
import { createOperate, type Operate } from './operate.ts';
import type { Directory, EventStore, KeyRotation, RevocationTable, TransmitterKeys } from './ports.ts';
import { createRevoke } from './revoke.ts';
import { scopeKey } from './scope.ts';
import type { SetError } from './signals/set.ts';
import { createSignals } from './signals/signals.ts';

export interface RevocationDeps {
  readonly policy: Policy;
  readonly homeTenantId: string;
  /** The rotator's identity. Events about its own changes to accounts are ignored (invariant 10). */
  readonly rotatorClientId: string;
  readonly entraIssuers: readonly string[];
  readonly freshnessMs: number;
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly head: Head;
  readonly issued: IssuedTokens;
  /** Removes the records of issued tokens that have expired. */
  readonly sweepLedger: (nowMs: number) => Promise<void>;
  readonly directory: Directory;
  readonly transmitterKeys: TransmitterKeys;
  readonly keys: KeyRotation;
  readonly verify: (token: string) => Promise<Caller | Denial>;
  /** The shared state, from a head read that begins after this call. */
  readonly snapshot: () => Promise<Snapshot>;
  /** Whether the policy gives this caller a token of this kind for this resource. */
  readonly mayHave: (caller: Caller, resource: string, kind: IssuedRecord['tokenKind']) => boolean;
  readonly now: Clock;
  /** Returns a unique id, which becomes the cause of an operator's block. */
  readonly newId: () => string;
  readonly log: Log;
}

export interface RevocationCapability {
  readonly admit: Admit;
  readonly issued: Issued;
  readonly operate: Operate;
  /** Handles one event of Event Grid. Throws UpstreamFailure when it must be delivered again. */
  readonly react: (event: unknown) => Promise<string>;
  /** Handles one Security Event Token. Throws UpstreamFailure when the transmitter must send it again. */
  readonly signal: (token: string) => Promise<'accepted' | SetError>;
  /** Removes expired entries and records, and reads the changes in the directory since the last time. */
  readonly reconcile: () => Promise<void>;
}

export function createRevocation(deps: RevocationDeps): RevocationCapability {
  const recordEffect = createRecordEffect(deps.events, deps.log);
  const revoke = createRevoke({ ...deps, recordEffect });
  const shared = { ...deps, recordEffect, revoke };
  const review = createReview(shared);
  return {
    admit: createAdmit(deps),
    issued: createIssued(shared),
    operate: createOperate(shared),
    react: createReact({ ...shared, reviewUser: review.user, reviewGroups: review.groups }),
    signal: createSignals({ ...shared, keys: deps.transmitterKeys }),
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
async function tidy({ table, events, sweepLedger, now }: RevocationDeps): Promise<void> {
  const last = await events.find('cursor', 'tidied');
  if (last !== undefined && now() - Number(last['atMs']) < TIDY_EVERY_MS) return;
  for (const entry of await table.list())
    if (isSpent(entry, now()))
      await table.remove(scopeKey(entry.scope), (current) => isSpent(current, now()));
  await events.sweep(now());
  await sweepLedger(now());
  await events.replace('cursor', 'tidied', { atMs: String(now()) }, now() + KEEP_MS);
}

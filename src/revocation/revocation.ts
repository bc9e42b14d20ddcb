/** The revocation capability, put together from its ports. */
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
  /** The identity that rotates: what it does to accounts is our own doing. */
  readonly rotatorClientId: string;
  readonly entraIssuers: readonly string[];
  readonly freshnessMs: number;
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly head: Head;
  readonly issued: IssuedTokens;
  /** Removes the records of issued tokens that are over. */
  readonly sweepLedger: (nowMs: number) => Promise<void>;
  readonly directory: Directory;
  readonly transmitterKeys: TransmitterKeys;
  readonly keys: KeyRotation;
  readonly verify: (token: string) => Promise<Caller | Denial>;
  /** From a head read that begins after the call. */
  readonly snapshot: () => Promise<Snapshot>;
  /** Whether the policy gives this caller a token of this kind for this resource. */
  readonly mayHave: (caller: Caller, resource: string, kind: IssuedRecord['tokenKind']) => boolean;
  readonly now: Clock;
  /** A new one each time, unlike any other: names the cause of an operator's block. */
  readonly newId: () => string;
  readonly log: Log;
}

export interface RevocationCapability {
  readonly admit: Admit;
  readonly issued: Issued;
  readonly operate: Operate;
  /** One event of Event Grid. Throws UpstreamFailure when it must be delivered again. */
  readonly react: (event: unknown) => Promise<string>;
  /** One pushed Security Event Token. Throws UpstreamFailure when it must be pushed again. */
  readonly signal: (token: string) => Promise<'accepted' | SetError>;
  /** Forgets what denies nothing any more, and reads what changed in the directory since the last time. */
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
      // Neither may keep the other from its work: more to forget than one tick can, or an outage of Graph.
      try {
        await tidy(deps);
      } finally {
        await review.sweep();
      }
    },
  };
}

const TIDY_EVERY_MS = 3_600_000;

/** Forgets what denies nothing any more. It reads whole tables, so not at every tick. */
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

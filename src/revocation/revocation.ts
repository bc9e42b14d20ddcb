/** The issuer app's part of the revocation: what revokes, and who may see and lift it. The rotator's is watch.ts. */
import type { Denial } from '../denial.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller, Clock, Head, IssuedRecord, IssuedTokens, Log, Queue, Snapshot } from '../ports.ts';
import { type Admit, createAdmit } from './admit.ts';
import { createRecordEffect } from './effect.ts';
import { LOOKS } from './events/azure-event.ts';
import { AZURE_EVENTS, type AzureEvent, KEY_LEAKED, REVOCATION_REQUESTED } from './events/event-types.ts';
import { createLeakReport } from './events/leak.ts';
import { createReact, type Handler, poison } from './events/react.ts';
import { createRequested } from './events/requested.ts';
import { createIssued, type Issued } from './issued.ts';
import { createOperate, type Operate } from './operate.ts';
import type { Directory, EventStore, RevocationTable, TransmitterKeys } from './ports.ts';
import { createRevoke } from './revoke.ts';
import type { SetError } from './signals/set.ts';
import { createSignals } from './signals/signals.ts';

export interface RevocationDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly homeTenantId: string;
  readonly entraIssuers: readonly string[];
  readonly freshnessMs: number;
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly head: Head;
  readonly issued: IssuedTokens;
  /** Asked only for a signal that names its user by e-mail address. */
  readonly directory: Pick<Directory, 'user'>;
  readonly transmitterKeys: TransmitterKeys;
  /** The queue of the events that the rotator app handles. */
  readonly toRotator: Queue;
  readonly isHandled: (key: string) => Promise<boolean>;
  readonly verify: (token: string) => Promise<Caller | Denial>;
  /** The shared state, from a head read that begins after this call. */
  readonly snapshot: () => Promise<Snapshot>;
  /** What the latest look found; undefined before the first. */
  readonly known: () => Snapshot | undefined;
  /** Whether the policy gives this caller a token of this kind for this resource. */
  readonly mayHave: (caller: Caller, resource: string, kind: IssuedRecord['tokenKind']) => boolean;
  readonly now: Clock;
  readonly sleep: (ms: number) => Promise<void>;
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
}

/** Event Grid waits for 30 s. */
const MAX_PUT_MS = 10_000;

export function createRevocation(deps: RevocationDeps): RevocationCapability {
  const recordEffect = createRecordEffect(deps.events, deps.log);
  const revoke = createRevoke({ ...deps, recordEffect });
  const shared = { ...deps, recordEffect, revoke };
  const ours = { ...deps, rotatorClientId: undefined };
  // What is about nothing of ours costs no message. If the queue is down this throws, and the event is delivered again.
  const forward =
    (type: AzureEvent): Handler =>
    async (event, _receivedAtMs, raw) => {
      const look = LOOKS[type](event, ours);
      if (look.at === 'nothing') return look.why;
      if (look.at === 'poison') return poison(look.why);
      await deps.toRotator.put(JSON.stringify(raw), MAX_PUT_MS);
      return 'passed on to the rotator';
    };
  return {
    admit: createAdmit(deps),
    issued: createIssued(shared),
    operate: createOperate(shared),
    react: createReact(deps, {
      [REVOCATION_REQUESTED]: createRequested(shared),
      ...Object.fromEntries(AZURE_EVENTS.map((type) => [type, forward(type)])),
      [KEY_LEAKED]: createLeakReport(deps),
    }),
    signal: createSignals({ ...shared, keys: deps.transmitterKeys }),
  };
}

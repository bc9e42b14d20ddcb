/** What an operator can do: list the revocations and when they were in force, revoke, lift blocks. */

import { type Invalid, invalid } from '../invalid.ts';
import { iso } from '../iso.ts';
import type { Policy } from '../policy/schema.ts';
import type { Clock, Head, Log, Scope } from '../ports.ts';
import { cutOffSeconds } from './decision.ts';
import { type Effect, effectKey } from './effect.ts';
import { KEEP_MS, lift } from './entry.ts';
import { type RevocationOrder, readLift, readOrder, unknownName } from './events/request.ts';
import { markLifted } from './lifted.ts';
import type { EventKind, EventRecord, EventStore, RevocationTable } from './ports.ts';
import { fewAtOnce, type Revoke } from './revoke.ts';
import { scopeKey } from './scope.ts';

export interface OperateDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly table: RevocationTable;
  readonly head: Head;
  readonly events: EventStore;
  readonly revoke: Revoke;
  readonly now: Clock;
  readonly log: Log;
}

/** One scope's entry, and when it was in force. Times are in ISO 8601. */
export interface RevocationView {
  readonly key: string;
  readonly scope: Scope;
  readonly cutOff: string;
  readonly blocked: boolean;
  readonly reason: string;
  readonly source: string;
  readonly receivedAt: string;
  /** Absent while the entry is written but the head row is not bumped yet. The request or event is then repeated. */
  readonly inForceAt?: string;
  readonly timeToEffectMs?: number;
  readonly lastTokenUntil?: string;
}

/** What an operator does. */
export interface Act {
  /** Stored as the source. */
  readonly who: string;
  /** The cause of a block. */
  readonly id: string;
  /** When it was asked for. */
  readonly atMs: number;
  readonly reason: string;
}

export interface Operate {
  list(): Promise<readonly RevocationView[]>;
  /** @returns what an operator asks for, with the key of its scope; nothing is done yet */
  read(body: unknown): (RevocationOrder & { readonly key: string }) | Invalid;
  /** May be repeated for the same act, and then answers the same. */
  revoke(order: RevocationOrder, act: Act): Promise<Effect & { readonly cutOffSeconds: number }>;
  /** @returns the scope that an operator wants lifted, and its key; nothing is done yet */
  readLift(body: unknown): Promise<{ readonly scope: Scope; readonly key: string } | Invalid>;
  /**
   * Lifts all blocks of the scope. The cut-off stays, so older tokens stay refused.
   * @returns whether the scope was blocked; also true when this call completes a lift that had failed halfway
   */
  lift(scope: Scope, who: string): Promise<boolean>;
  received(kind: EventKind): Promise<readonly EventRecord[]>;
  /**
   * When the latest revocations were in force, the oldest first: a thousand of the last thirty days. If there were more
   * than ten thousand in that time, those of the last day, or of the last hour.
   */
  effects(): Promise<readonly EventRecord[]>;
}

const MAX_LISTED = 1_000;
const MAX_EFFECTS = 10_000;
/** How far back the effects are listed. The shorter times are tried first, because the store lists the oldest first. */
const SHOWN_MS = [3_600_000, 86_400_000, 30 * 86_400_000];
const KEEP_LIFTS_MS = 366 * 86_400_000;

export function createOperate(deps: OperateDeps): Operate {
  const { policy, table, head, events, revoke, now, log } = deps;
  return {
    async list() {
      const entries = await table.list();
      const fromMs = now() - KEEP_MS;
      const recent = await events.list('effect', effectKey(fromMs, ''), MAX_EFFECTS);
      const effects = new Map(recent.map((effect) => [`${effect['receivedAt']} ${effect['key']}`, effect]));
      const isCutOff = recent.length === MAX_EFFECTS;
      return fewAtOnce(entries, async (entry) => {
        const key = scopeKey(entry.scope);
        const id = effectKey(entry.receivedAtMs, key);
        // Only an entry that blocks can be older than the range that was read.
        const isOutside = isCutOff || entry.receivedAtMs < fromMs;
        const effect = effects.get(id) ?? (isOutside ? await events.find('effect', id) : undefined);
        return {
          key,
          scope: entry.scope,
          cutOff: iso(entry.cutOffSeconds * 1000),
          blocked: entry.blocked,
          reason: entry.reason,
          source: entry.source,
          receivedAt: iso(entry.receivedAtMs),
          ...(effect === undefined ? {} : times(effect, entry.receivedAtMs)),
        };
      });
    },

    read(body) {
      const order = readOrder(body, policy());
      return 'kind' in order ? order : { ...order, key: scopeKey(order.scope) };
    },
    async revoke({ scope, notBeforeMs, block }, { who, id, atMs, reason }) {
      const change = {
        scope,
        cutOffSeconds: cutOffSeconds(notBeforeMs, atMs),
        blockCause: block ? id : undefined,
        reason,
        source: `operator ${who}`,
        receivedAtMs: atMs,
      };
      const [effect] = await revoke([change]);
      if (effect === undefined) throw new Error('one change has one effect');
      return { ...effect, cutOffSeconds: change.cutOffSeconds };
    },

    async readLift(body) {
      const wanted = readLift(body);
      if ('problem' in wanted) return wanted;
      const key = scopeKey(wanted.scope);
      // A scope with an entry can be lifted even if the policy no longer names it.
      const unknown = unknownName(wanted.scope, policy());
      const isLiftable = unknown === undefined || (await table.update(key, (entry) => entry)) !== undefined;
      return isLiftable ? { ...wanted, key } : invalid(unknown);
    },
    async lift(scope, who) {
      const key = scopeKey(scope);
      const source = `operator ${who}`;
      const atMs = now();
      const found = await table.update(key, (current) => current);
      const causes = Object.keys(found?.blocks ?? {});
      await fewAtOnce(causes, (cause) => markLifted(events, cause, { key, source }, atMs));
      const entry =
        causes.length === 0
          ? found
          : await table.update(key, (current) => current && lift(current, causes, atMs));
      const liftedAtMs = entry?.liftedAtMs ?? 0;
      const id = `${effectKey(liftedAtMs, key)} lifted`;
      // Nothing is blocked, and the last lift was recorded. A lift without a record has failed halfway: it is
      // completed here, with the answer that it would have had.
      if (causes.length === 0 && (liftedAtMs === 0 || (await events.find('effect', id)) !== undefined))
        return false;
      await head.bump();
      const at = iso(liftedAtMs);
      const record = { key, source, reason: 'lifted', receivedAt: at, inForceAt: iso(now()) };
      await events.keepFirst('effect', id, record, atMs + KEEP_LIFTS_MS);
      log('lifted', { scope: key, who });
      return true;
    },

    received: (kind) => events.list(kind, '', MAX_LISTED),
    async effects() {
      let latest: readonly EventRecord[] = [];
      for (const shownMs of SHOWN_MS) {
        const found = await events.list('effect', effectKey(now() - shownMs, ''), MAX_EFFECTS);
        // A list that was cut off has the oldest of its time, and the latest are in the list before.
        if (found.length === MAX_EFFECTS && latest.length > 0) break;
        latest = found.slice(-MAX_LISTED);
        if (latest.length === MAX_LISTED) break;
      }
      return latest;
    },
  };
}

function times(
  { inForceAt, lastTokenUntil }: EventRecord,
  receivedAtMs: number,
): Pick<RevocationView, 'inForceAt' | 'timeToEffectMs' | 'lastTokenUntil'> {
  if (inForceAt === undefined || lastTokenUntil === undefined) return {};
  return { inForceAt, timeToEffectMs: Date.parse(inForceAt) - receivedAtMs, lastTokenUntil };
}

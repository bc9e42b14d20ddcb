/** An account and a step of its rotation, as operators are shown them. Pure. */
import { iso } from '../iso.ts';
import type { Resource } from '../policy/schema.ts';
import type { TokenKind } from '../token-kind.ts';
import type { PlanRow } from './plan-row.ts';
import type { Pause } from './ports.ts';
import type { HistoryEntry } from './state.ts';

/** One account, as the operator API returns it. Absent members are left out. */
export interface Account
  extends Partial<Pick<PlanRow, 'asOf' | 'phase' | 'active' | 'slots' | 'dueAt' | 'rotatedAt'>> {
  readonly name: string;
  readonly kind: string;
  readonly tokenKinds: readonly TokenKind[];
  readonly rotates: boolean;
  /** For people: `draining (Key1)`, `stuck: proving (Key2)`. */
  readonly state?: string | undefined;
  readonly next?: { readonly what: string; readonly at?: string | undefined } | undefined;
  readonly blocked?:
    | { readonly code: string; readonly what: string; readonly advice?: string | undefined }
    | undefined;
  readonly overdue?: boolean | undefined;
  readonly stuck?: boolean | undefined;
  /** A key may be older than its period, because nobody saw it being made. */
  readonly keyOfUnknownAge?: boolean | undefined;
  readonly paused?:
    | { readonly by: string; readonly reason: string; readonly at?: string | undefined }
    | undefined;
}

/** One step that was made. */
export interface Step {
  readonly at: string;
  readonly what: string;
  readonly slot?: HistoryEntry['slot'];
  readonly from: string;
  readonly to: string;
  /** How long the rotation was in the phase `from`. */
  readonly tookMs: number;
  readonly by: string;
  readonly emergency?: true | undefined;
  /** From the regenerate until the new key was seen accepted, and the old one refused. */
  readonly newKeyLagMs?: number | undefined;
  readonly oldKeyLagMs?: number | undefined;
}

/** Whether its keys are rotated: the policy names a secret and has rotation settings. */
export const rotates = ({ secret, rotation }: Resource): boolean =>
  secret !== undefined && rotation !== undefined;

export function accountOf(
  resource: Resource,
  row: PlanRow | undefined,
  overdue: boolean,
  pause: Pause | undefined,
): Account {
  const { name, kind, tokenKinds, rotation } = resource;
  const about = { name, kind, tokenKinds, rotates: rotates(resource) };
  if (!about.rotates) return about;
  const paused = pausedOf(pause, rotation?.paused === true);
  if (row === undefined)
    return { ...about, next: { what: 'the rotator app looks with its next tick' }, ...paused };
  const { asOf, state, phase, active, slots, next, at, blocked, code, todo } = row;
  return {
    ...about,
    asOf,
    state,
    phase,
    active,
    slots,
    next: { what: next, at },
    ...(blocked !== undefined && {
      blocked: { code: code ?? 'in_words', what: blocked, ...(todo !== undefined && { advice: todo }) },
    }),
    dueAt: row.dueAt,
    rotatedAt: row.rotatedAt,
    overdue,
    stuck: row.stuck === true,
    ...(row.hasKeyOfUnknownAge && { keyOfUnknownAge: true }),
    ...paused,
  };
}

function pausedOf(pause: Pause | undefined, byPolicy: boolean): Pick<Account, 'paused'> {
  if (pause === undefined)
    return byPolicy ? { paused: { by: 'the policy', reason: 'rotation.paused of this account' } } : {};
  const { paused, by, reason, at } = pause;
  return paused ? { paused: { by, reason, at } } : {};
}

export function stepOf(entry: HistoryEntry): Step {
  const { from, to, why, by, slot, tookMs, newKeyLagMs, oldKeyLagMs } = entry;
  return {
    at: iso(entry.atMs),
    what: why,
    ...(slot !== undefined && { slot }),
    from,
    to,
    tookMs,
    by,
    ...(entry.emergency && { emergency: true }),
    ...(newKeyLagMs !== undefined && { newKeyLagMs }),
    ...(oldKeyLagMs !== undefined && { oldKeyLagMs }),
  };
}

/**
 * What happened to the two keys of an account, from the steps of its rotations: bars for the keys by what they were used
 * for, and marks for what was done or found. Pure. A step tells the phase before and after it (`draining (Key1)`), so
 * between two steps the phase is known, and the phase says what each slot is for.
 */
import type { Account, Step } from '../../wire.ts';
import { birthsOf, type Mark, marksOf } from './marks.ts';
import { type Interval, intervalsOf, type Role, roleOf, SLOTS, type Slot } from './phases.ts';

export interface Bar {
  readonly role: Role;
  readonly fromMs: number;
  readonly toMs: number;
  /** A key was made at its beginning: it is another key than that of the bar before. */
  readonly born: boolean;
}
export interface Lane {
  readonly slot: Slot;
  readonly bars: readonly Bar[];
  readonly marks: readonly Mark[];
  /** Until then a token that was bought with a key that drains may live. */
  readonly livesUntilMs?: number;
}

/** @param steps the newest first, as the API answers them */
export function lanesOf(
  account: Account,
  steps: readonly Step[],
  sinceMs: number,
  nowMs: number,
): readonly Lane[] {
  const inOrder = steps.toReversed();
  const intervals = intervalsOf(account, inOrder, sinceMs);
  return SLOTS.map((slot) => {
    const shown = account.slots?.find((each) => each.slot === slot);
    const births = birthsOf(slot, inOrder, shown?.since);
    const untilMs = Date.parse(shown?.tokensUntil ?? '');
    return {
      slot,
      bars: barsOf(slot, intervals, births, sinceMs, nowMs),
      marks: marksOf(slot, inOrder, births, account.active),
      ...(untilMs > nowMs && shown?.state === 'retiring' && { livesUntilMs: untilMs }),
    };
  });
}

function barsOf(
  slot: Slot,
  intervals: readonly Interval[],
  births: readonly number[],
  sinceMs: number,
  nowMs: number,
): readonly Bar[] {
  const cuts = [...intervals.map(({ fromMs }) => fromMs), ...births].filter(
    (atMs) => atMs > sinceMs && atMs < nowMs,
  );
  const edges = [...new Set([sinceMs, ...cuts.sort((one, other) => one - other), nowMs])];
  const bars: Bar[] = [];
  for (const [at, fromMs] of edges.slice(0, -1).entries()) {
    const toMs = edges[at + 1] ?? nowMs;
    const during = intervals.findLast((each) => each.fromMs <= fromMs);
    const role = during === undefined ? 'unknown' : roleOf(slot, during);
    const born = births.includes(fromMs);
    const last = bars.at(-1);
    if (last?.role === role && !born) bars[bars.length - 1] = { ...last, toMs };
    else bars.push({ role, fromMs, toMs, born });
  }
  return bars;
}

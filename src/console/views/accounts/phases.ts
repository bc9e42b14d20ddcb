/**
 * Which phase an account's rotation was in at any time, and which slot was in use, from the steps that were made. Pure.
 * A step tells the phase before and after it (`draining (Key1)`), so between two steps the phase is known.
 */
import type { Account, Step } from '../../wire.ts';

export const SLOTS = ['Key1', 'Key2'] as const;
export type Slot = (typeof SLOTS)[number];
export type Role = 'active' | 'spare' | 'unknown' | 'draining' | 'regenerating' | 'proving';

export interface Interval {
  readonly fromMs: number;
  readonly phase: string;
  readonly of: Slot | undefined;
  readonly active: Slot | undefined;
}

export const OTHER = { Key1: 'Key2', Key2: 'Key1' } as const;

export function readPhase(words: string): Pick<Interval, 'phase' | 'of'> {
  const [, phase = words, of] = /^(\w+) \((Key[12])\)$/.exec(words) ?? [];
  return { phase, of: of === 'Key1' || of === 'Key2' ? of : undefined };
}

/** The slot in use is known at the end and in most phases; a step that made another key current tells it before. */
export function intervalsOf(
  { active, phase, slots = [] }: Account,
  steps: readonly Step[],
  sinceMs: number,
): readonly Interval[] {
  let current: Slot | undefined = active;
  const found: Interval[] = [];
  for (const [back, { at, from, to, what }] of steps.toReversed().entries()) {
    const after = readPhase(to);
    if (isPastPromotion(after)) current = OTHER[after.of];
    found.unshift({
      fromMs: Date.parse(at),
      ...after,
      active: from === 'not adopted' ? (current ?? active) : current,
    });
    const before = readPhase(from);
    if (
      before.phase === 'promoting' &&
      after.phase === 'draining' &&
      what.includes('becomes the current key')
    )
      current = before.of;
    if (from === 'not adopted') current = undefined;
    if (back === steps.length - 1) found.unshift({ fromMs: sinceMs, ...before, active: current });
  }
  return found.length > 0
    ? found
    : [
        {
          fromMs: sinceMs,
          phase: phase ?? 'not adopted',
          of: slots.find(({ state }) => state === 'retiring')?.slot,
          active,
        },
      ];
}
const isPastPromotion = (one: Pick<Interval, 'phase' | 'of'>): one is { phase: string; of: Slot } =>
  one.of !== undefined && ['draining', 'regenerating', 'proving'].includes(one.phase);

export function roleOf(slot: Slot, { phase, of, active }: Interval): Role {
  if (active === undefined) return 'unknown';
  if (slot === active) return 'active';
  const isRetired = of === slot && (phase === 'draining' || phase === 'regenerating' || phase === 'proving');
  return isRetired ? phase : 'spare';
}

/** The state in which a rotation begins, goes on after a pause, or gets another slot to retire. Pure. */
import type { Slot } from '../ports.ts';
import { otherSlot, type RotationState, type Turn, type Work } from './state.ts';

/** A regenerate whose answer was lost may still take effect for this long. */
export const UNKNOWN_OUTCOME_MS = 120_000;

/** Begins a whole rotation: the active slot is retired, and in full mode the other one after it. */
export function begin(state: RotationState, mode: 'full' | 'alternating', reason: string, nowMs: number) {
  const turns = mode === 'full' ? [state.active, otherSlot(state.active)] : [state.active];
  return started(
    state,
    turns.map((slot) => ({ slot, emergency: false })),
    reason,
    true,
    nowMs,
  );
}

/** Begins the retirement of one slot on demand. It does not move the due time of the next whole rotation. */
export function beginSlot(state: RotationState, slot: Slot, reason: string, nowMs: number) {
  return started(state, [{ slot, emergency: false }], reason, false, nowMs);
}

/** One slot, asked for while a rotation is under way: the rotation goes on, and the slot is added to the queue. */
export function alsoRetire(state: RotationState, slot: Slot, nowMs: number): RotationState {
  const again = resumed(state, nowMs);
  const { work } = again;
  if (work === undefined || [work, ...work.queue].some((turn) => turn.slot === slot)) return again;
  return { ...again, work: { ...work, queue: [...work.queue, { slot, emergency: false }] } };
}

/**
 * Begins an emergency: the keys of these slots have leaked. The epoch goes up, so no cached token is returned any more;
 * the drain is skipped; what was under way is queued behind the emergency.
 */
export function beginEmergency(state: RotationState, slots: readonly Slot[], reason: string, nowMs: number) {
  const { work } = state;
  const unfinished = work === undefined ? [] : [turnOf(work), ...work.queue];
  const underWay = unfinished.filter(({ emergency }) => emergency).map(({ slot }) => slot);
  // If the slot has its new key already, the request is about this new key, so it is retired once more.
  const isReplaced = slots.length === 1 && work?.slot === slots[0] && work?.phase.name === 'proving';
  // The same emergency is asked for a second time.
  if (!isReplaced && slots.every((slot) => underWay.includes(slot))) return resumed(state, nowMs);
  const isMarked = (slot: Slot): boolean => unfinished.some((turn) => turn.slot === slot && turn.marked);
  const turns = [
    ...slots.map((slot) => ({ slot, emergency: true, marked: isMarked(slot) })),
    ...unfinished.filter(({ slot }) => !slots.includes(slot)),
  ];
  const retiring = state.retiring === turns[0]?.slot ? state.retiring : undefined;
  const completes = slots.length > 1 || work?.completes === true;
  const begun = started({ ...state, epoch: state.epoch + 1, retiring }, turns, reason, completes, nowMs);
  return begun.work === undefined || work === undefined
    ? begun
    : { ...begun, work: { ...begun.work, notBeforeMs: settledAtMs(work, nowMs) } };
}

/** Ends the pause after failures, so that the next tick tries again. */
export function resumed(state: RotationState, nowMs: number): RotationState {
  const { work } = state;
  if (work === undefined) return state;
  return { ...state, work: { ...work, attempts: 0, notBeforeMs: settledAtMs(work, nowMs) } };
}

/**
 * Until then a regenerate whose answer was lost may still take effect, and its slot must not be promoted or tried. An
 * emergency that was begun meanwhile waits for that with no try made yet. A repeated request must not end either wait.
 */
function settledAtMs({ phase, emergency, attempts, notBeforeMs }: Work, nowMs: number): number {
  const isUnknown =
    phase.name === 'regenerating' || (phase.name === 'promoting' && emergency && attempts === 0);
  return isUnknown ? Math.min(notBeforeMs, nowMs + UNKNOWN_OUTCOME_MS) : 0;
}

/** Promotes the first of these slots' successors; the other slots are queued. */
export function started(
  state: RotationState,
  turns: readonly Turn[],
  reason: string,
  completes: boolean,
  nowMs: number,
): RotationState {
  const [first, ...queue] = turns;
  if (first === undefined) return state;
  const fresh = { startedAtMs: nowMs, phaseAtMs: nowMs, attempts: 0, notBeforeMs: 0 };
  return { ...state, work: { ...first, ...fresh, queue, reason, completes, phase: { name: 'promoting' } } };
}

/** A mark is about the key that the slot had when it was marked: with a new key it is over. */
export function turnOf({ slot, emergency, marked, phase }: Work): Turn {
  return { slot, emergency, marked: marked && phase.name !== 'proving' };
}

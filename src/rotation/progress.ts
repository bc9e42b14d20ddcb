/** Computes the state after a step, and the state in which a rotation begins. Pure; retire.ts decides the steps. */
import { MAX_DECLARED_LIFE_MS } from '../facts/sts.ts';
import type { Slot } from '../ports.ts';
import type { Problem } from './problem.ts';
import {
  otherSlot,
  type Phase,
  type Proof,
  type RotationState,
  type SecretPlace,
  type Turn,
  type Work,
} from './state.ts';
import type { Step } from './step.ts';

/** A key is proved when it was accepted at two times this far apart, and at every try in between. */
export const PROOF_SPAN_MS = 60_000;
/** A regenerate whose answer was lost may still take effect for this long. */
const UNKNOWN_OUTCOME_MS = 120_000;
/** The pause after a failed try, which doubles each time. Without it a fast timer would retry without end. */
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 240_000;
/** After so many failed tries the rotation counts as stuck, and is tried once an hour. */
const TRIES = 12;
const STUCK_PAUSE_MS = 3_600_000;
/** A repair is tried every 15 minutes even then, because exchanges may fail until it succeeds. */
const STUCK_HEAL_PAUSE_MS = 900_000;

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
  const turns = [
    ...slots.map((slot) => ({ slot, emergency: true })),
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

/** Until then a regenerate whose answer was lost may still take effect, and its slot must not be promoted or tried. */
function settledAtMs({ phase, attempts, notBeforeMs }: Work, nowMs: number): number {
  const isUnknown = phase.name === 'regenerating' && attempts > 0;
  return isUnknown ? Math.min(notBeforeMs, nowMs + UNKNOWN_OUTCOME_MS) : 0;
}

function started(
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

function turnOf({ slot, emergency }: Work): Turn {
  return { slot, emergency };
}

// --- the state after a step ----------------------------------------------------------------------------

/** Written before the step: it counts the try and sets the pause, so a step that crashes is not retried at once. */
export function tried(state: RotationState, step: Step, nowMs: number): RotationState {
  const { work, healing } = state;
  if (step.do === 'heal') {
    const attempts = healing?.what === step.drift ? healing.attempts + 1 : 1;
    return {
      ...state,
      healing: { what: step.drift, attempts, notBeforeMs: nowMs + pauseMs(attempts, STUCK_HEAL_PAUSE_MS) },
    };
  }
  if (work === undefined || step.do === 'note' || step.do === 'wait') return state;
  const attempts = work.attempts + 1;
  const leastMs = step.do === 'regenerate' ? UNKNOWN_OUTCOME_MS : 0;
  return {
    ...state,
    work: { ...work, attempts, notBeforeMs: nowMs + Math.max(pauseMs(attempts, STUCK_PAUSE_MS), leastMs) },
  };
}

function pauseMs(attempts: number, stuckMs: number): number {
  return attempts >= TRIES ? stuckMs : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
}

/** True after so many failures in a row that only rare tries are made; a person should look. */
export function isStuck({ work, healing }: RotationState): boolean {
  return Math.max(work?.attempts ?? 0, healing?.attempts ?? 0) >= TRIES;
}

export function failed(state: RotationState, problem: Problem): RotationState {
  return state.work === undefined || state.healing !== undefined
    ? { ...state, blocked: problem }
    : { ...state, work: { ...state.work, problem } };
}

/** A drift was repaired: the vault's current version holds the key of `slot` now. */
export function healed(state: RotationState, slot: Slot, at: SecretPlace, nowMs: number): RotationState {
  const base = resumed(adopted(state, slot, at, nowMs), nowMs);
  const { work } = state;
  if (work === undefined || work.phase.name === 'promoting') return base;
  // The slot being retired is the current one again, so its retirement starts from the beginning.
  if (slot === work.slot) {
    const turns = [turnOf(work), ...work.queue];
    return started(base, turns, work.reason, work.completes, nowMs);
  }
  // Somebody may have read the retired key from the vault meanwhile, so the drain starts over with its full time.
  return work.phase.name === 'proving' ? base : enter(base, { name: 'draining' }, nowMs);
}

/** The given version becomes the one that exchanges buy with. */
function adopted(
  state: RotationState,
  active: Slot,
  { secret, version: secretVersion }: SecretPlace,
  nowMs: number,
): RotationState {
  const suspectUntilMs = state.generation === 0 ? 0 : nowMs + MAX_DECLARED_LIFE_MS;
  const generation = state.generation + 1;
  // The active slot is never marked retiring: it is the only key that exchanges can use.
  const retiring = state.retiring === active ? undefined : state.retiring;
  return {
    ...state,
    adoptedAtMs: state.generation === 0 ? nowMs : state.adoptedAtMs,
    active,
    retiring,
    secret,
    secretVersion,
    suspectUntilMs,
    generation,
    blocked: undefined,
    healing: undefined,
  };
}

/**
 * The other slot's key is the vault's current version now, so nothing is bought with this one any more. In an
 * emergency tokens were bought with the leaked key until now, while the other key was not accepted yet. Their drain
 * is skipped, so the epoch goes up once more: no cache returns them after their key is regenerated.
 */
export function promoted(
  state: RotationState,
  { secret, version: secretVersion }: SecretPlace,
  nowMs: number,
): RotationState {
  if (state.work === undefined) return state;
  const { slot, emergency } = state.work;
  const generation = state.generation + 1;
  const epoch = emergency ? state.epoch + 1 : state.epoch;
  const moved = {
    ...state,
    generation,
    epoch,
    retiring: slot,
    active: otherSlot(slot),
    secret,
    secretVersion,
  };
  return enter(moved, { name: 'draining' }, nowMs);
}

export function regenerated(state: RotationState, fingerprint: string, nowMs: number): RotationState {
  const { work } = state;
  if (work?.phase.name !== 'regenerating') return state;
  const { before } = work.phase;
  return enter(
    born(state, work.slot, nowMs),
    { name: 'proving', before, fingerprint, regeneratedAtMs: nowMs },
    nowMs,
  );
}

/** Records that the slot's key was made just now. */
export function born(state: RotationState, slot: Slot, nowMs: number): RotationState {
  return { ...state, bornAtMs: { ...state.bornAtMs, [slot]: nowMs } };
}

export interface Probe {
  readonly fingerprint: string;
  readonly accepted: boolean;
  /** How the slot's old key was answered. `unknown`: no enabled version of the secret holds its value any more. */
  readonly oldKey?: 'accepted' | 'refused' | 'unknown' | undefined;
}

export function probed(state: RotationState, probe: Probe, nowMs: number): RotationState {
  const { work } = state;
  if (work?.phase.name !== 'promoting' && work?.phase.name !== 'proving') return state;
  const againMs = work.emergency ? 0 : nowMs + PROOF_SPAN_MS;
  const progress = probe.accepted
    ? { attempts: 0, notBeforeMs: againMs, problem: undefined }
    : { problem: { code: 'key_refused' } as const };
  return { ...state, work: { ...work, ...progress, phase: withProbe(work.phase, probe, nowMs) } };
}

function withProbe(phase: Phase, probe: Probe, nowMs: number): Phase {
  if (phase.name !== 'promoting' && phase.name !== 'proving') return phase;
  const proof = probe.accepted ? extended(phase.proof, probe.fingerprint, nowMs) : undefined;
  if (phase.name === 'promoting') return { ...phase, proof };
  // The clock of the driver that regenerated may be ahead of this one's by more than the lag.
  const sinceMs = Math.max(0, nowMs - phase.regeneratedAtMs);
  return {
    ...phase,
    proof,
    oldKey: probe.oldKey ?? phase.oldKey,
    newKeyLagMs: phase.newKeyLagMs ?? (probe.accepted ? sinceMs : undefined),
    oldKeyLagMs: phase.oldKeyLagMs ?? (probe.oldKey === 'refused' ? sinceMs : undefined),
  };
}

function extended(proof: Proof | undefined, fingerprint: string, nowMs: number): Proof {
  return proof?.fingerprint === fingerprint
    ? { ...proof, lastMs: nowMs }
    : { fingerprint, firstMs: nowMs, lastMs: nowMs };
}

/** The slot is retired. The next one in the queue is promoted, or the rotation is over. */
export function tidied(state: RotationState, nowMs: number): RotationState {
  const { work } = state;
  if (work === undefined) return state;
  const rotatedAtMs = work.completes && work.queue.length === 0 ? nowMs : state.rotatedAtMs;
  const steady = { ...state, retiring: undefined, work: undefined, rotatedAtMs };
  return started(steady, work.queue, work.reason, work.completes, nowMs);
}

/** Enters a phase, with no tries counted yet. */
export function enter(state: RotationState, phase: Phase, nowMs: number): RotationState {
  if (state.work === undefined) return state;
  const fresh = { phaseAtMs: nowMs, attempts: 0, notBeforeMs: 0, problem: undefined };
  return { ...state, work: { ...state.work, ...fresh, phase } };
}

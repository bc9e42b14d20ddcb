/** What is remembered once a step was made, or a rotation begun. Pure; retire.ts decides the steps. */
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

/** A key is proved by rounds of successes this far apart: gateways do not learn of a key at the same moment. */
export const PROOF_SPAN_MS = 60_000;
/** A regenerate without an answer may still be under way. */
const UNKNOWN_OUTCOME_MS = 120_000;
/** From one try without progress to the next, doubled each time: a fast timer must not make a hot loop. */
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 240_000;
/** Tries without progress; then the machine is stuck and tries once an hour. */
const TRIES = 12;
const STUCK_PAUSE_MS = 3_600_000;
/** What callers wait for is tried more often. */
const STUCK_HEAL_PAUSE_MS = 900_000;

/** A whole rotation: the active slot is retired, and in full mode the other one after it. */
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

/** One slot, on demand. The next whole rotation stays due when it was. */
export function beginSlot(state: RotationState, slot: Slot, reason: string, nowMs: number) {
  return started(state, [{ slot, emergency: false }], reason, false, nowMs);
}

/** One slot, asked for while something is under way: that goes on, and the slot comes after it. */
export function alsoRetire(state: RotationState, slot: Slot, nowMs: number): RotationState {
  const again = resumed(state, nowMs);
  const { work } = again;
  if (work === undefined || [work, ...work.queue].some((turn) => turn.slot === slot)) return again;
  return { ...again, work: { ...work, queue: [...work.queue, { slot, emergency: false }] } };
}

/**
 * These slots' keys are in wrong hands. No cached token of before is handed out any more (epoch), the drain
 * is skipped, and what was under way waits its turn.
 */
export function beginEmergency(state: RotationState, slots: readonly Slot[], reason: string, nowMs: number) {
  const { work } = state;
  const unfinished = work === undefined ? [] : [turnOf(work), ...work.queue];
  const underWay = unfinished.filter(({ emergency }) => emergency).map(({ slot }) => slot);
  // Once a slot has its new key, it is that key which is in wrong hands now.
  const isReplaced = slots.length === 1 && work?.slot === slots[0] && work?.phase.name === 'proving';
  // Asked twice.
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

/** Tries again at once what waits after failures. */
export function resumed(state: RotationState, nowMs: number): RotationState {
  const { work } = state;
  if (work === undefined) return state;
  return { ...state, work: { ...work, attempts: 0, notBeforeMs: settledAtMs(work, nowMs) } };
}

/** A regenerate whose answer was lost may land until then; its slot must not be promoted or tried before. */
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

// --- what is remembered after a step -------------------------------------------------------------------

/** Before an effect: this try is counted, and the next one put off, so that a crash in it cannot make a hot loop. */
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

/** Nothing goes on any more, but for a try now and then. */
export function isStuck({ work, healing }: RotationState): boolean {
  return Math.max(work?.attempts ?? 0, healing?.attempts ?? 0) >= TRIES;
}

export function failed(state: RotationState, problem: Problem): RotationState {
  return state.work === undefined || state.healing !== undefined
    ? { ...state, blocked: problem }
    : { ...state, work: { ...state.work, problem } };
}

/** The vault's current version was put right: it holds `slot` now. */
export function healed(state: RotationState, slot: Slot, at: SecretPlace, nowMs: number): RotationState {
  const base = resumed(adopted(state, slot, at, nowMs), nowMs);
  const { work } = state;
  if (work === undefined || work.phase.name === 'promoting') return base;
  // The slot being retired is the only one that works: its retirement starts again from the beginning.
  if (slot === work.slot) {
    const turns = [turnOf(work), ...work.queue];
    return started(base, turns, work.reason, work.completes, nowMs);
  }
  // Someone may have taken the retired key from the vault: everybody gets the full time again.
  return work.phase.name === 'proving' ? base : enter(base, { name: 'draining' }, nowMs);
}

/** What is in the vault is taken as the current key. */
function adopted(
  state: RotationState,
  active: Slot,
  { secret, version: secretVersion }: SecretPlace,
  nowMs: number,
): RotationState {
  const suspectUntilMs = state.generation === 0 ? 0 : nowMs + MAX_DECLARED_LIFE_MS;
  const generation = state.generation + 1;
  // There is nothing else to buy with.
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
 * The other slot's key is the vault's current version: from now on nothing is bought with this one. In an
 * emergency tokens may have been bought with it until now, as long as the other key was not accepted; its
 * drain is skipped, so the epoch rises once more, and no cache hands them out after their key is gone.
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

/** The slot's key was made just now. */
export function born(state: RotationState, slot: Slot, nowMs: number): RotationState {
  return { ...state, bornAtMs: { ...state.bornAtMs, [slot]: nowMs } };
}

export interface Probe {
  readonly fingerprint: string;
  readonly accepted: boolean;
  /** The slot's old key, while it is watched. `unknown`: its value is no longer at hand. */
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
  // Two drivers' clocks may differ by more than the lag.
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

/** The slot is retired: on to the next one, or done. */
export function tidied(state: RotationState, nowMs: number): RotationState {
  const { work } = state;
  if (work === undefined) return state;
  const rotatedAtMs = work.completes && work.queue.length === 0 ? nowMs : state.rotatedAtMs;
  const steady = { ...state, retiring: undefined, work: undefined, rotatedAtMs };
  return started(steady, work.queue, work.reason, work.completes, nowMs);
}

/** Into a phase: its tries start from none. */
export function enter(state: RotationState, phase: Phase, nowMs: number): RotationState {
  if (state.work === undefined) return state;
  const fresh = { phaseAtMs: nowMs, attempts: 0, notBeforeMs: 0, problem: undefined };
  return { ...state, work: { ...state.work, ...fresh, phase } };
}

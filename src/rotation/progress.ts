/** Computes the state after a step. Pure; retire.ts decides the steps. */
import { MAX_DECLARED_LIFE_MS } from '../facts/sts.ts';
import type { Slot } from '../ports.ts';
import { resumed, started, turnOf } from './begin.ts';
import { otherSlot, type Phase, type Proof, type RotationState, type SecretPlace } from './state.ts';

/** A key is proved when it was accepted at two times this far apart, and at every try in between. */
export const PROOF_SPAN_MS = 60_000;

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

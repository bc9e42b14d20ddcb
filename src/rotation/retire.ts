/**
 * The state machine that retires a slot. `next` takes the stored state and the evidence, and decides the one step to
 * make. It is pure: effects.ts makes the step, and progress.ts computes the state after it. A full rotation retires
 * both slots, an alternating one the active slot; an emergency retires one or both without the drain.
 *
 *     promoting --publish--> draining --> regenerating --> proving --tidy--> done, or promoting for the next slot
 *
 * In each phase a step that fails is tried again after a pause that doubles; after 12 tries the rotation counts as
 * stuck and is tried once an hour. `slot` is the slot being retired, `other` the other one.
 *
 * Promoting. On entry exchanges may still buy with `slot`. The phase waits until `other` is proved: its key was
 * accepted at every try for at least a minute, because the gateways of an account learn of a new key one after the
 * other. Then its key is written to the vault as the current version. After a crash between that write and the row,
 * the next tick finds `other` in the current version and goes on from there; after a crash before the write it writes
 * (again: two versions with the same key do no harm). If `other` is current from the start, nothing is written. In an
 * emergency one round of tries is proof enough. The phase ends with a row that has `other` active and `slot` retiring.
 *
 * Draining. On entry the row forbids buying with `slot`, but tokens that were bought with it live on, and apps that
 * read the secret by themselves may still use its key. The phase waits for the latest expiry in the mint ledger plus
 * the difference of clocks, for the time that the policy gives declared consumers, and for `suspectUntilMs`. It
 * changes nothing, so a crash costs nothing; a bump of the head row that was lost in a crash is repeated by each tick
 * (observe.ts). If somebody changes the vault in this phase or the next, the repair (drift.ts) starts this phase over,
 * because the key of `slot` may have been read meanwhile; if only that key works, it starts over from promoting. The
 * phase ends by storing the fingerprint of the slot's key as `before`. An emergency ends it at once.
 *
 * Regenerating. On entry nothing that lives depends on the key of `slot` (unless in an emergency), and `before` is
 * stored. The phase asks ARM for a new key. The answer may be lost, or the driver may crash before it writes the row.
 * So a tick asks only while the slot's fingerprint still equals `before`, and after each try it waits two minutes, in
 * which a request whose answer was lost may still take effect. The phase ends when the fingerprint differs.
 *
 * Proving. On entry `slot` has a new key, and the vault still holds `other`. The phase waits until the new key is
 * proved, as above, and until the old key is refused. It stops waiting for the old key when no enabled version in
 * the vault holds it any more, after 30 minutes, or when the next slot in the queue is an emergency. It only tries
 * keys, so a crash costs at most a try. If somebody regenerates `slot` by hand, the phase starts over with that key.
 * The last step disables the versions whose keys are gone; a crash leaves some of them to the repeated step. After it
 * the next slot in the queue is promoted, or the rotation is over.
 */

import { begin } from './begin.ts';
import { compare, type Drift } from './drift.ts';
import { CLOCKS_DIFFER_MS } from './due.ts';
import { type Problem, REFUSALS, said } from './problem.ts';
import { born, enter, healed, PROOF_SPAN_MS, promoted, regenerated } from './progress.ts';
import { type Evidence, otherSlot, type Proof, type RotationState, type Work } from './state.ts';
import type { Step } from './step.ts';

/** Azure may accept an old key for hours (learn.microsoft.com, disable-local-auth). Longer than this nobody waits. */
const OLD_KEY_WATCH_MS = 1_800_000;

export interface Rules {
  readonly accountId: string;
  readonly paused: boolean;
  /** The earliest start of the next rotation, with the blackout window taken into account. */
  readonly startsAtMs: number;
  readonly mode: 'full' | 'alternating';
  readonly consumersMs: number;
}

/** True while keys are switched off for the account: then no rotation is overdue, since no key can be used. */
export function hasNoKeys({ blocked }: RotationState): boolean {
  return blocked?.code === 'keys_switched_off';
}

export function next(state: RotationState, seen: Evidence, rules: Rules): Step {
  const { keys, vault, nowMs } = seen;
  if (typeof keys === 'string') return blocked(state, REFUSALS[keys]);
  if (vault === 'forbidden') return blocked(state, { code: 'vault_forbidden' });
  const found = compare(state, keys, vault, rules.accountId);
  if ('heal' in found) return heal(state, found, nowMs);
  if (state.blocked !== undefined || state.healing !== undefined) {
    return note({ ...state, blocked: undefined, healing: undefined }, 'no longer blocked');
  }

  const { work } = state;
  if (work === undefined) return whenSteady(state, nowMs, rules);
  if (rules.paused && !work.emergency) return { do: 'wait', why: 'paused' };
  if (nowMs < work.notBeforeMs) {
    return {
      do: 'wait',
      why: work.problem ? said(work.problem) : 'the next try is not due',
      untilMs: work.notBeforeMs,
    };
  }
  const { slot, emergency, phase } = work;
  const other = otherSlot(slot);
  switch (phase.name) {
    case 'promoting':
      if (found.holds === other) {
        return note(promoted(state, found, nowMs), `${other} is current; nothing is bought with ${slot}`);
      }
      return isProved(phase.proof, keys[other], emergency)
        ? { do: 'publish', slot: other, why: `${other} is proved and becomes the current key` }
        : { do: 'prove', slot: other, why: `${other} must be accepted before it becomes the current key` };

    case 'draining': {
      const untilMs = drainedAtMs(state, work, seen, rules);
      if (nowMs <= untilMs && !emergency) {
        return { do: 'wait', why: `tokens bought with ${slot}, or its consumers, may live`, untilMs };
      }
      const why = emergency
        ? 'emergency: the drain is skipped'
        : `nothing lives that was bought with ${slot}`;
      return note(enter(state, { name: 'regenerating', before: keys[slot] }, nowMs), why);
    }

    case 'regenerating':
      return keys[slot] === phase.before
        ? { do: 'regenerate', slot, why: `${slot} gets a new key` }
        : note(regenerated(state, keys[slot], nowMs), `${slot} has a new key`);

    case 'proving': {
      if (keys[slot] !== phase.fingerprint) {
        const { name, before } = phase;
        const again = { name, before, fingerprint: keys[slot], regeneratedAtMs: nowMs };
        return note(
          enter(born(state, slot, nowMs), again, nowMs),
          `${slot} was regenerated once more, by hand`,
        );
      }
      // If another slot is queued for an emergency, stop watching the old key and start on that slot now.
      const isUrgent = work.queue[0]?.emergency === true;
      const watchIsOver = isUrgent || nowMs - phase.regeneratedAtMs > OLD_KEY_WATCH_MS;
      const watched = phase.oldKey !== undefined && (phase.oldKey !== 'accepted' || watchIsOver);
      return watched && isProved(phase.proof, phase.fingerprint, emergency)
        ? { do: 'tidy', why: `${slot} is retired; versions with dead keys are disabled` }
        : { do: 'prove', slot, why: `the new ${slot} must be accepted, the old one refused` };
    }
  }
}

function note(to: RotationState, why: string): Step {
  return { do: 'note', to, why };
}

function blocked(state: RotationState, problem: Problem): Step {
  const why = said(problem);
  return state.blocked?.code === problem.code
    ? { do: 'wait', why }
    : note({ ...state, blocked: problem }, why);
}

function heal(state: RotationState, { what, heal }: Drift, nowMs: number): Step {
  if ('write' in heal) {
    const { healing } = state;
    return healing?.what === what && nowMs < healing.notBeforeMs
      ? { do: 'wait', why: state.blocked ? said(state.blocked) : what, untilMs: healing.notBeforeMs }
      : { do: 'heal', drift: what, slots: heal.write, why: what };
  }
  const { accept } = heal;
  return { do: 'note', drift: what, to: healed(state, accept.holds, accept, nowMs), why: what };
}

function whenSteady(state: RotationState, nowMs: number, rules: Rules): Step {
  if (rules.paused) return { do: 'wait', why: 'paused' };
  if (nowMs < rules.startsAtMs) {
    return { do: 'wait', why: 'the next rotation is not due', untilMs: rules.startsAtMs };
  }
  return note(begin(state, rules.mode, 'scheduled', nowMs), 'the rotation is due');
}

/** Unless in an emergency, the slot is not regenerated before this time (invariant 3). */
function drainedAtMs(state: RotationState, work: Work, seen: Evidence, rules: Rules): number {
  return Math.max(
    seen.tokensLiveUntilMs + CLOCKS_DIFFER_MS,
    work.phaseAtMs + rules.consumersMs,
    state.suspectUntilMs,
  );
}

function isProved(proof: Proof | undefined, fingerprint: string, emergency: boolean): boolean {
  if (proof?.fingerprint !== fingerprint) return false;
  return emergency || proof.lastMs - proof.firstMs >= PROOF_SPAN_MS;
}

/**
 * The machine. `next` looks at what is remembered and what is seen and says the one step to make; the
 * step's outcome turns into the next state in progress.ts. Pure; effects.ts makes the steps.
 *
 *     promoting --publish--> draining --> regenerating --> proving --tidy--> done, or promoting the next slot
 *
 * Retiring a slot: the other slot's key is proved and becomes the vault's current version; nothing is bought
 * with the slot any more; when the last token bought with it is dead and every declared consumer had its
 * time, the slot is regenerated; its new key is proved and the old one watched until it is refused. A full
 * rotation is two retirements, an alternating one is one, an emergency is one without the drain.
 */
import { compare, type Drift } from './drift.ts';
import { CLOCKS_DIFFER_MS } from './due.ts';
import { type Problem, REFUSALS, said } from './problem.ts';
import { begin, born, enter, healed, PROOF_SPAN_MS, promoted, regenerated } from './progress.ts';
import { type Evidence, otherSlot, type Proof, type RotationState, type Work } from './state.ts';
import type { Step } from './step.ts';

/** An old key may be accepted for hours (Azure: disable-local-auth): noted, and not waited for. */
const OLD_KEY_WATCH_MS = 1_800_000;

export interface Rules {
  readonly accountId: string;
  readonly paused: boolean;
  /** When the next rotation starts, blackout included. */
  readonly startsAtMs: number;
  readonly mode: 'full' | 'alternating';
  readonly consumersMs: number;
}

/** Then no rotation is missed, however long ago the last one was. */
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
  if (rules.paused && !work.emergency) return { do: 'wait', why: 'paused by the policy' };
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
      // Another key in wrong hands does not wait for this one to be forgotten.
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
  if (rules.paused) return { do: 'wait', why: 'paused by the policy' };
  if (nowMs < rules.startsAtMs) {
    return { do: 'wait', why: 'the next rotation is not due', untilMs: rules.startsAtMs };
  }
  return note(begin(state, rules.mode, 'scheduled', nowMs), 'the rotation is due');
}

/** Invariant 3, without an emergency: the slot is not regenerated before this. */
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

/** How a step that comes to nothing is tried again: the pauses, and when the rotation counts as stuck. Pure. */
import { UNKNOWN_OUTCOME_MS } from './begin.ts';
import type { Problem } from './problem.ts';
import type { RotationState } from './state.ts';
import type { Step } from './step.ts';

/** The pause after a failed try, which doubles each time. Without it a fast timer would retry without end. */
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 240_000;
/** After so many failed tries the rotation counts as stuck, and is tried once an hour. */
const TRIES = 12;
const STUCK_PAUSE_MS = 3_600_000;
/** A repair is tried every 15 minutes even then, because exchanges may fail until it succeeds. */
const STUCK_HEAL_PAUSE_MS = 900_000;

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

import type { Pause, Target } from './ports.ts';

/** The target with what an operator has said: that beats the policy, in both directions. */
export function withPause(target: Target, pauses: ReadonlyMap<string, Pause>): Target {
  const paused = pauses.get(target.account)?.paused ?? target.rotation.paused;
  return paused === target.rotation.paused ? target : { ...target, rotation: { ...target.rotation, paused } };
}

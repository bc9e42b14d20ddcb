/** What was done with a slot's keys and what was found about them, as marks at instants. Pure. */
import type { Step } from '../../wire.ts';
import { DRIFTS } from './drift.ts';
import { OTHER, readPhase, type Slot } from './phases.ts';

export interface Mark {
  readonly kind: 'born' | 'proof' | 'drift' | 'emergency' | 'problem';
  readonly atMs: number;
  readonly text: string;
}

/** One key has at most one beginning; the machine's row and its history name it a moment apart. */
const SAME_BIRTH_MS = 120_000;

export function birthsOf(slot: Slot, steps: readonly Step[], since: string | undefined): readonly number[] {
  const seen = steps
    .filter((step) => step.slot === slot && readPhase(step.to).phase === 'proving')
    .filter(({ from, what }) => readPhase(from).phase === 'regenerating' || what.includes('by hand'))
    .map(({ at }) => Date.parse(at));
  const told = since === undefined ? [] : [Date.parse(since)];
  const isNew = (atMs: number): boolean => seen.every((known) => Math.abs(known - atMs) > SAME_BIRTH_MS);
  return [...seen, ...told.filter(isNew)].sort((one, other) => one - other);
}

/** @param active what is about no slot is about the one in use */
export function marksOf(
  slot: Slot,
  steps: readonly Step[],
  births: readonly number[],
  active: Slot | undefined,
): readonly Mark[] {
  const marks: Mark[] = births.map((atMs) => ({ kind: 'born', atMs, text: bornText(slot, steps, atMs) }));
  let wasEmergency = false;
  for (const { at, from, to, what, emergency = false, slot: of } of steps) {
    const atMs = Date.parse(at);
    const concerns = (kind: Mark['kind'], which: Slot | undefined) => {
      if ((which ?? active) === slot) marks.push({ kind, atMs, text: what });
    };
    if (emergency && !wasEmergency) concerns('emergency', of);
    wasEmergency = emergency;
    if (DRIFTS.includes(what)) concerns('drift', of);
    else if (from === to && what.includes('must be'))
      concerns('proof', of && (readPhase(to).phase === 'promoting' ? OTHER[of] : of));
    else if (to === 'blocked' || (from === to && from !== 'steady' && !what.includes('by hand')))
      concerns('problem', of);
  }
  return marks.sort((one, other) => one.atMs - other.atMs);
}

function bornText(slot: Slot, steps: readonly Step[], atMs: number): string {
  const longest = (name: 'newKeyLagMs' | 'oldKeyLagMs') =>
    steps.find((step) => step.slot === slot && Date.parse(step.at) > atMs && step[name] !== undefined)?.[
      name
    ];
  const [accepted, refused] = [longest('newKeyLagMs'), longest('oldKeyLagMs')];
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  return [
    `${slot}: a new key was made`,
    ...(accepted === undefined ? [] : [`Azure accepted it within ${seconds(accepted)}`]),
    ...(refused === undefined ? [] : [`and refused the old one within ${seconds(refused)}`]),
  ].join(', ');
}

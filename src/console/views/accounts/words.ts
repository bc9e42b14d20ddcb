/** What an act on an account's keys will do, said before it is done. Pure. */
import type { Account } from '../../wire.ts';

export const ACTS = ['rotate', 'emergency', 'pause', 'resume'] as const;
export type AccountAct = (typeof ACTS)[number];
export interface ActWords {
  readonly title: string;
  readonly consequence: readonly string[];
  /** To be ticked: something that works may stop. */
  readonly agree?: string;
}

export function wordsOf(act: AccountAct, { name, paused }: Account): ActWords {
  switch (act) {
    case 'rotate':
      return {
        title: `Rotate ${name} now`,
        consequence: [
          'No call fails: the other key is proved and used first, and the tokens of the old one run out before it is replaced.',
          ...(paused === undefined ? [] : ['The account is paused: somebody has to resume it first.']),
        ],
      };
    case 'emergency':
      return {
        title: `Replace the keys of ${name} at once`,
        consequence: [
          'For a key that has leaked. None of its tokens is handed out from now on, and those that are out end when Azure forgets the key.',
          'If it is the key in use, exchanges are answered 503 until the other one is proved.',
        ],
        agree: `Calls to ${name} may fail until their apps have got new tokens.`,
      };
    case 'pause':
      return {
        title: `Pause ${name}`,
        consequence: [
          'No rotation begins or goes on until somebody resumes it, but for an emergency. Keys may get older than the policy allows.',
        ],
      };
    case 'resume':
      return {
        title: `Resume ${name}`,
        consequence: ['Rotations go on by the policy. One that is due begins with the next tick.'],
      };
  }
}

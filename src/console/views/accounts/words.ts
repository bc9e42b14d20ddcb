/** What an act on an account's keys will do, said before it is done. Pure. */
import type { Account } from '../../wire.ts';

export const ACTS = ['rotate', 'emergency', 'pause', 'resume'] as const;
export type AccountAct = (typeof ACTS)[number];
export interface ActWords {
  readonly title: string;
  readonly verb: string;
  readonly consequence: readonly string[];
  /** To be ticked: something that works may stop. */
  readonly agree?: string;
}

export function wordsOf(act: AccountAct, { name, paused }: Account): ActWords {
  switch (act) {
    case 'rotate':
      return {
        title: `Rotate ${name}`,
        verb: `Rotate ${name} now`,
        consequence: [
          'A new key is made for each slot that is chosen. No call fails: the other key is proved and used first, and the tokens of the old key run out before it is replaced, which takes ten minutes or more.',
          ...(paused === undefined
            ? []
            : ['The account is paused: the rotation goes no further until somebody resumes it.']),
        ],
      };
    case 'emergency':
      return {
        title: `Emergency: a key of ${name} has leaked`,
        verb: `Replace the keys of ${name} at once`,
        consequence: [
          'The key is replaced without waiting. From the answer on, no token of it is handed out; those that are out stop working as soon as Azure forgets the old key.',
          'Where it is the key in use, new exchanges are answered 503 until the other key has been proved, as a rule within a minute.',
        ],
        agree: `Calls to ${name} may fail until their apps have got new tokens.`,
      };
    case 'pause':
      return {
        title: `Pause ${name}`,
        verb: `Pause ${name}`,
        consequence: [
          'No rotation begins or goes on until somebody resumes it; only an emergency does. The keys may get older than the policy allows.',
        ],
      };
    case 'resume':
      return {
        title: `Resume ${name}`,
        verb: `Resume ${name}`,
        consequence: ['Rotations go on by the policy. One that is due begins with the next tick.'],
      };
  }
}

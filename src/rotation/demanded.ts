/** What became of a demand that was begun, by the account's row. Pure. */
import type { Slot } from '../ports.ts';
import type { RotationState } from './state.ts';

export interface Demanded {
  readonly id: string;
  /** Absent: what the schedule would do; in an emergency both slots. */
  readonly slot?: Slot | undefined;
  readonly emergency: boolean;
}

/**
 * `superseded`: an emergency of the same slot began after it. undefined: the row does not know the demand, because it
 * was not begun or because too many came after it.
 */
export function becameOf(
  { demands, work }: Pick<RotationState, 'demands' | 'work'>,
  { id, slot, emergency }: Demanded,
): 'working' | 'done' | 'superseded' | undefined {
  // An emergency is remembered by slot: "<id> Key1" (ask.ts).
  const at = demands.findLastIndex((known) => known === id || known.startsWith(`${id} `));
  if (at < 0) return undefined;
  const isOf = (one: Slot): boolean => slot === undefined || slot === one;
  const later = demands.slice(at + 1);
  if (
    !emergency &&
    later.some(
      (known) => (known.endsWith(' Key1') && isOf('Key1')) || (known.endsWith(' Key2') && isOf('Key2')),
    )
  )
    return 'superseded';
  const turns = work === undefined ? [] : [work, ...work.queue];
  return turns.some((turn) => isOf(turn.slot)) ? 'working' : 'done';
}

/** One running process: its clock is off and may jump, it may see the vault late, and it may die. */
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface Process {
  readonly kind: 'rotator' | 'exchange';
  readonly name: string;
  readonly clock: () => number;
  /** How far the clock may jump back. */
  readonly maxJumpMs: number;
  /** Every fourth of its calls takes very long. */
  readonly isSlow: boolean;
  /** It may read a copy of the vault that is so much behind. */
  readonly readsLateMs: number;
  /** The gateway that all its calls to an account reach; undefined: each call may reach another one. */
  readonly gateway: number | undefined;
  dead: boolean;
  /** Dies at this call from now, counted down; negative: lives on. */
  callsToLive: number;
}

const MAX_VAULT_LAG_MS = 10_000;
const HOUR_MS = 3_600_000;

export interface ProcessOptions {
  readonly chance: Chance;
  readonly timeline: Timeline;
  /** Told of what is wrong with it: `clock ahead`, `clock jumps` and so on. */
  readonly count: (misfortune: string) => void;
  readonly maxClockOffMs: number;
}

export function createProcess(
  { chance, timeline, count, maxClockOffMs }: ProcessOptions,
  kind: Process['kind'],
  name: string,
  isSlow: boolean,
): Process {
  let offMs = chance.between(-maxClockOffMs, maxClockOffMs);
  if (Math.abs(offMs) > 1_000) count(offMs > 0 ? 'clock ahead' : 'clock behind');
  const jumps = chance.is(0.2);
  if (jumps) {
    timeline.at(timeline.now() + chance.between(0, HOUR_MS), () => {
      offMs = chance.between(-maxClockOffMs, maxClockOffMs);
      count('clock jumps');
    });
  }
  return {
    kind,
    name,
    clock: () => timeline.now() + offMs,
    maxJumpMs: jumps ? 2 * maxClockOffMs : 0,
    isSlow,
    readsLateMs: chance.pick([0, 0, MAX_VAULT_LAG_MS]),
    gateway: chance.is(0.5) ? chance.between(0, 2) : undefined,
    dead: false,
    callsToLive: -1,
  };
}

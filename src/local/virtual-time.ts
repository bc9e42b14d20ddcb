/**
 * Changes virtual time in all processes at one instant, lets one process's clock be off, and keeps virtual time
 * from going back at the next start.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import type { ChildHandle } from './children.ts';
import { type ClockState, nextState, type VirtualClock, wallNow } from './clock.ts';
import type { VirtualTime as ControlledTime } from './simulated/control.ts';

/** A change begins this much later than it is told, so that every process knows of it before. */
const leadMs = 25;
/** A process that is stuck holds up the others' clock no longer than this. */
const maxWaitMs = 2000;

/** A process with a clock of its own. */
export interface Timed {
  /** The first one stays the same when the process is started again. */
  readonly names: readonly [string, ...string[]];
  readonly child: ChildHandle;
}

export interface VirtualTime extends ControlledTime {
  /** What the clock of the process with this first name shows: for one that is started. */
  stateOf(name: string): ClockState;
}

export function createVirtualTime(
  clock: VirtualClock,
  processes: () => readonly Timed[],
  changed: () => void,
): VirtualTime {
  const offsets = new Map<string, number>();
  const stateOf = (name: string): ClockState => {
    const state = clock.state();
    return { ...state, virtualMs: state.virtualMs + (offsets.get(name) ?? 0) };
  };
  const tell = ({ names: [name], child }: Timed) => child.setClock(stateOf(name), maxWaitMs);

  let turn: Promise<void> = Promise.resolve();
  const inTurn = (change: () => Promise<void>) => {
    const changing = turn.then(change);
    // The next change does not hang on how this one went.
    turn = changing.catch(() => undefined);
    return changing;
  };
  const change = (by: { advanceMs?: number; speed?: number }) =>
    inTurn(async () => {
      const state = nextState(clock.state(), by, wallNow() + leadMs);
      clock.apply(state);
      await Promise.all(processes().map(tell));
      while (wallNow() < state.wallMs) {
        await new Promise((resolve) => setTimeout(resolve, state.wallMs - wallNow()));
      }
      changed();
    });
  return {
    state: () => ({ now: new Date(clock.now()).toISOString(), speed: clock.state().speed }),
    advance: (seconds) => change({ advanceMs: seconds * 1000 }),
    setSpeed: (speed) => change({ speed }),
    get names() {
      return processes().map(({ names: [name] }) => name);
    },
    async setOffset(name, offsetMs) {
      const found = processes().find(({ names }) => names.includes(name));
      if (!found) return false;
      offsets.set(found.names[0], offsetMs);
      await inTurn(() => tell(found));
      return true;
    },
    stateOf,
  };
}

const kept = z.object({ aheadMs: z.number() });

/** How virtual time starts: at the clock on the wall, or as far ahead of it as it was in this folder. */
export function firstState(file: string, speed: number): ClockState {
  const wallMs = wallNow();
  return { wallMs, virtualMs: wallMs + readAhead(file), speed };
}

function readAhead(file: string): number {
  try {
    return kept.parse(JSON.parse(readFileSync(file, 'utf8'))).aheadMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

export function keepAhead(file: string, clock: VirtualClock): void {
  writeFileSync(`${file}.new`, JSON.stringify({ aheadMs: clock.now() - wallNow() }));
  renameSync(`${file}.new`, file);
}

/** Changes virtual time in all processes at one instant, and keeps it from going back at the next start. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import type { ChildHandle } from './children.ts';
import { type ClockState, nextState, type VirtualClock, wallNow } from './clock.ts';

/** A change begins this much later than it is told, so that every process knows of it before. */
const leadMs = 25;
/** A process that is stuck holds up the others' clock no longer than this. */
const maxWaitMs = 2000;

export interface VirtualTime {
  state(): { readonly now: string; readonly speed: number };
  /** Resolves when the new time is in force in every process. */
  advance(seconds: number): Promise<void>;
  setSpeed(speed: number): Promise<void>;
}

export function createVirtualTime(
  clock: VirtualClock,
  children: () => readonly ChildHandle[],
  changed: () => void,
): VirtualTime {
  let turn: Promise<void> = Promise.resolve();
  const change = (by: { advanceMs?: number; speed?: number }) => {
    const changing = turn.then(async () => {
      const state = nextState(clock.state(), by, wallNow() + leadMs);
      clock.apply(state);
      await Promise.all(children().map((child) => child.setClock(state, maxWaitMs)));
      while (wallNow() < state.wallMs) {
        await new Promise((resolve) => setTimeout(resolve, state.wallMs - wallNow()));
      }
      changed();
    });
    // The next change does not hang on how this one went.
    turn = changing.catch(() => undefined);
    return changing;
  };
  return {
    state: () => ({ now: new Date(clock.now()).toISOString(), speed: clock.state().speed }),
    advance: (seconds) => change({ advanceMs: seconds * 1000 }),
    setSpeed: (speed) => change({ speed }),
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

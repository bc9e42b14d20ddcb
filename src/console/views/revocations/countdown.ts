/** How far a revocation is: received, in force, and the last token dead. Pure. */
import type { Said } from '../../parts/said.ts';
import type { Revocation } from '../../wire.ts';

export interface Stage {
  readonly name: 'received' | 'inForce' | 'over';
  /** Undefined: not known yet. */
  readonly atMs: number | undefined;
  readonly done: boolean;
}
export interface Countdown {
  readonly stages: readonly Stage[];
  /** Until the last token is dead; 0 when it is. */
  readonly leftMs: number;
  /** Of the time from the receipt to the last token's end; 1 when it is over. */
  readonly part: number;
}
type Times = Pick<Revocation, 'receivedAt' | 'inForceAt' | 'lastTokenUntil'>;

/** @param lastMs the end of the last token that the record knows of, where it knows all; else the longest possible counts */
export function countdownOf(
  { receivedAt, inForceAt, lastTokenUntil }: Times,
  lastMs: number | undefined,
  nowMs: number,
): Countdown {
  const receivedMs = Date.parse(receivedAt);
  const inForceMs = inForceAt === undefined ? undefined : Date.parse(inForceAt);
  const longestMs = lastTokenUntil === undefined ? undefined : Date.parse(lastTokenUntil);
  const overMs = inForceMs === undefined ? undefined : Math.max(inForceMs, lastMs ?? longestMs ?? inForceMs);
  const over = overMs !== undefined && nowMs >= overMs;
  const wholeMs = (overMs ?? nowMs) - receivedMs;
  return {
    stages: [
      { name: 'received', atMs: receivedMs, done: true },
      { name: 'inForce', atMs: inForceMs, done: inForceMs !== undefined },
      { name: 'over', atMs: overMs, done: over },
    ],
    leftMs: over || overMs === undefined ? 0 : overMs - nowMs,
    part: over ? 1 : Math.max(0, Math.min(1, wholeMs <= 0 ? 1 : (nowMs - receivedMs) / wholeMs)),
  };
}

export const stateOf = (blocked: boolean): Said =>
  blocked ? { tone: 'bad', sign: '✕', words: 'Blocked' } : { tone: 'warn', sign: '✂', words: 'Cut off' };

/** Found by its scope, its reason, who asked for it and its state. */
export const isShown = ({ blocked, key, reason, source }: Revocation, text: string): boolean =>
  `${key} ${reason} ${source} ${stateOf(blocked).words}`.toLowerCase().includes(text.trim().toLowerCase());

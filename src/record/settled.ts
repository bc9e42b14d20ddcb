/** When a minute of the audit is settled, by the clock of whoever asks: close.ts says why then. */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import { beginOf, MINUTE_MS, type Minute, minuteOf } from './minute.ts';

/** After its end. */
export const SETTLED_AFTER_MS = MAX_CLOCKS_DIFFER_SECONDS * 1_000 + 60_000;

/** The last minute that is settled. */
export const settledAt = (nowMs: number): Minute => minuteOf(nowMs - SETTLED_AFTER_MS - MINUTE_MS);

/** How many settled minutes are not closed, where the last closed one is `minute`. */
export const minutesBehind = (minute: Minute, nowMs: number): number =>
  Math.max(0, (beginOf(settledAt(nowMs)) - beginOf(minute)) / MINUTE_MS);

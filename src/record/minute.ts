/**
 * A minute and a day of the record, in UTC, as texts that sort as they follow each other: `2026-11-26T01:20` and
 * `2026-11-26`. A row of the audit belongs to the minute that its key begins with, which is when its writer wrote it.
 */
import { iso } from '../iso.ts';

export type Minute = string;
export type Day = string;

export const MINUTE_MS = 60_000;
const MINUTE_CHARACTERS = 16;
const DAY_CHARACTERS = 10;

export const minuteOf = (ms: number): Minute => iso(ms).slice(0, MINUTE_CHARACTERS);
/** The instant when the minute begins. */
export const beginOf = (minute: Minute): number => Date.parse(`${minute}Z`);
export const addMinutes = (minute: Minute, count: number): Minute =>
  minuteOf(beginOf(minute) + count * MINUTE_MS);
export const dayOf = (minute: Minute): Day => minute.slice(0, DAY_CHARACTERS);

/** From the first to the last, both with. */
export function minutesBetween(first: Minute, last: Minute): Minute[] {
  const minutes: Minute[] = [];
  for (let minute = first; minute <= last; minute = addMinutes(minute, 1)) minutes.push(minute);
  return minutes;
}

/** Where instants are on a time line, and which of them are named below it. Pure. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** In percent of the width; what is outside is at the edge. */
export function percent({ fromMs, toMs }: Span, atMs: number): number {
  const part = (atMs - fromMs) / Math.max(1, toMs - fromMs);
  return Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 100;
}
export const isIn = ({ fromMs, toMs }: Span, atMs: number): boolean => atMs >= fromMs && atMs <= toMs;

const MINUTE = 60_000;
const DAY = 86_400_000;
const STEPS = [
  ...[1, 2, 5, 15, 30, 60, 120, 360, 720].map((minutes) => minutes * MINUTE),
  ...[1, 2, 7, 14, 30, 60, 120, 365].map((days) => days * DAY),
];

/** @param zoneMs what is added to UTC for the reader's clock, so that days begin at his midnight */
export function ticks({ fromMs, toMs }: Span, most: number, zoneMs = 0): readonly number[] {
  const step = STEPS.find((each) => (toMs - fromMs) / each <= most) ?? (toMs - fromMs) / most;
  const found: number[] = [];
  for (let at = Math.ceil((fromMs + zoneMs) / step) * step - zoneMs; at <= toMs; at += step) found.push(at);
  return found;
}

import { written } from './formats.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration such as `90s`, `10m`, `24h` or `30d`, parsed to milliseconds. */
export const duration = (description: string, example: string) =>
  written(
    /^[1-9][0-9]{0,5}[smhd]$/,
    'duration such as 90s, 10m, 24h or 30d (a whole number and one unit)',
    example,
    (text) => suggestion(text, example),
  )
    .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS])
    .meta({ description });

/** `10 minutes` is meant as `10m`, `1.5h` as `90m`, and `30` has the unit of the example. */
function suggestion(text: string, example: string): string {
  const [, number, unit = example.slice(-1)] = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([smhd])?/i.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) return example;
  if (!number.includes('.')) return `${Number(number)}${unit.toLowerCase()}`;
  return durationText(Number(number) * UNIT_MS[unit.toLowerCase() as keyof typeof UNIT_MS]);
}

/** Milliseconds as the author of a policy writes them: 5,400,000 is `90m`. */
export function durationText(ms: number): string {
  const hours = ms / UNIT_MS.h;
  return Number.isInteger(hours) ? `${hours}h` : `${Math.ceil(ms / UNIT_MS.m)}m`;
}

/**
 * Whether the Functions host will understand a timer's schedule: it only disables the function that has a wrong
 * one, so that keys would stay as they are and nobody would hear of it.
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 */
const LIMITS = {
  second: [0, 59],
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  month: [1, 12],
  weekday: [0, 6],
} as const;
const NAMES: readonly string[] = [
  ...['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  ...['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
];
const PART = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/;

/** Six fields, or five without seconds; each `*`, values or ranges, names for months and days, steps. */
export function isNcrontab(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  const limits = Object.values(LIMITS).slice(-fields.length);
  if (fields.length < 5 || fields.length > 6) return false;
  return limits.every((limit, index) => fields[index]?.split(',').every((part) => isPart(part, limit)));
}

function isPart(part: string, [least, most]: readonly [number, number]): boolean {
  const found = PART.exec(part);
  if (found === null) return false;
  const [, from, to, step] = found;
  const isValue = (value: string | undefined) =>
    value === undefined ||
    (/^\d+$/.test(value)
      ? Number(value) >= least && Number(value) <= most
      : NAMES.includes(value.toLowerCase()));
  return isValue(from) && isValue(to) && step !== '0';
}

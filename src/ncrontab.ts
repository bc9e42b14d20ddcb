/**
 * Parses a timer's schedule as the Functions host does. When the host does not accept a schedule it only disables the
 * function, and then keys would not be rotated and nobody would notice. The tests compare this parser with a table
 * that was made with the host's own library (test/ncrontab.json).
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 */
import { type Invalid, invalid } from './invalid.ts';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** The names of the values, beginning with `least`. */
  readonly names: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'second', least: 0, most: 59, names: [] },
  { name: 'minute', least: 0, most: 59, names: [] },
  { name: 'hour', least: 0, most: 23, names: [] },
  { name: 'day', least: 1, most: 31, names: [] },
  {
    name: 'month',
    least: 1,
    most: 12,
    names: [
      ...['january', 'february', 'march', 'april', 'may', 'june'],
      ...['july', 'august', 'september', 'october', 'november', 'december'],
    ],
  },
  {
    name: 'weekday',
    least: 0,
    most: 6,
    names: ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'],
  },
];
/** The days of each month in a leap year. */
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MAX_NUMBER = 2_147_483_647;
const PART = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(-?[0-9]+))?$/;

/** The values of each field, in order: second, minute, hour, day, month, weekday (0 is Sunday). */
export interface Ncrontab {
  readonly fields: readonly (readonly number[])[];
  /** Why a schedule that the host accepts would not run as it is written, or never. */
  readonly pitfall: string | undefined;
}
export function parseNcrontab(text: string): Ncrontab | Invalid {
  const parts = text.split(' ').filter((part) => part !== '');
  if (parts.length !== 5 && parts.length !== 6)
    return invalid(`five or six fields with blanks between them, not ${parts.length}`);
  const written = parts.length === 5 ? ['0', ...parts] : parts;
  const fields: number[][] = [];
  const pitfalls: string[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const values = new Set<number>();
    for (const part of (written[index] ?? '').split(',')) {
      const range = readPart(part, field);
      if (range === undefined)
        return invalid(`${says(field)} takes ${field.least} to ${field.most}${named(field)}`);
      // The host swaps the ends of a range that are in the wrong order, and takes a step below one as one.
      const { from, to, step } = range;
      if (from > to)
        pitfalls.push(
          `${says(field)} has a range that ends before it begins, and the host would swap the two`,
        );
      if (step < 1) pitfalls.push(`${says(field)} has a step below 1, and the host would take it for 1`);
      for (let value = Math.min(from, to); value <= Math.max(from, to); value += Math.max(step, 1))
        values.add(value);
    }
    fields.push([...values].sort((a, b) => a - b));
  }
  if (neverComes(fields)) pitfalls.push('no month it names has a day it names');
  return { fields, pitfall: pitfalls[0] };
}

/** A problem names the field and never repeats its text, because a setting may hold a secret by mistake. */
const says = ({ name }: Field): string => `the field of the ${name}`;
const named = ({ names }: Field): string => (names.length > 0 ? ' or a name' : '');

/** Why the schedule must not be used; undefined when it may be used. */
export function scheduleProblem(text: string): string | undefined {
  const parsed = parseNcrontab(text);
  return 'kind' in parsed ? parsed.problem : parsed.pitfall;
}

function readPart(
  part: string,
  field: Field,
): { readonly from: number; readonly to: number; readonly step: number } | undefined {
  const found = PART.exec(part);
  if (found === null) return undefined;
  const [, first, last, every] = found;
  const step = Number(every ?? 1);
  if (Math.abs(step) > MAX_NUMBER) return undefined;
  const from = first === undefined ? field.least : readValue(first, field);
  if (from === undefined) return undefined;
  // One value with a step means a range up to the field's maximum: `5/20` in the field of seconds is 5, 25, 45.
  if (last === undefined)
    return { from, to: first === undefined || every !== undefined ? field.most : from, step };
  const to = readValue(last, field);
  return to === undefined ? undefined : { from, to, step };
}

/** A number, or the first letters of a name: `j` is January. */
function readValue(text: string, { least, most, names }: Field): number | undefined {
  if (!/^[0-9]/.test(text)) {
    const index = names.findIndex((name) => name.startsWith(text.toLowerCase()));
    return index < 0 ? undefined : least + index;
  }
  const value = Number(text);
  return /^[0-9]+$/.test(text) && value >= least && value <= most ? value : undefined;
}

function neverComes([, , , days = [], months = []]: readonly (readonly number[])[]): boolean {
  const firstDay = days[0] ?? 1;
  return months.every((month) => firstDay > (DAYS_IN_MONTH[month - 1] ?? 0));
}

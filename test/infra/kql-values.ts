/** What the functions, operators and aggregates that kql.ts knows make of values. */
export type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;
export type Tables = Readonly<Record<string, readonly Row[]>>;
export type Of = (row: Row) => Value;

export const fail = (what: string): never => {
  throw new Error(`KQL: ${what}`);
};
export const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Numbers by size, all else as text; what is null comes first. */
export function compared(one: Value, other: Value): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  const [first, second] = [String(one ?? ''), String(other ?? '')];
  return first === second ? 0 : first < second ? -1 : 1;
}

const lower = (value: Value): string => String(value ?? '').toLowerCase();
/** A term is a run of letters and digits; `has` finds whole ones. A phrase is found where its ends are ends of terms. */
const has = (text: string, wanted: string): boolean => {
  const isPart = (character: string | undefined): boolean => /[\p{L}\p{N}]/u.test(character ?? ' ');
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1))
    if (!isPart(text[at - 1]) && !isPart(text[at + wanted.length])) return true;
  return false;
};
const numbers =
  (of: (one: number, other: number) => Value) =>
  (one: Value, other: Value): Value =>
    typeof one === 'number' && typeof other === 'number' ? of(one, other) : null;

export const COMPARISONS = ['==', '!=', '=~', '>', '>=', '<', '<=', 'has', '!has', 'startswith', 'contains'];
export const OPERATORS: Readonly<Record<string, (one: Value, other: Value) => Value>> = {
  or: (one, other) => one === true || other === true,
  and: (one, other) => one === true && other === true,
  '==': (one, other) => one === other,
  '!=': (one, other) => one !== other,
  '=~': (one, other) => lower(one) === lower(other),
  '>': numbers((one, other) => one > other),
  '>=': numbers((one, other) => one >= other),
  '<': numbers((one, other) => one < other),
  '<=': numbers((one, other) => one <= other),
  '+': numbers((one, other) => one + other),
  '-': numbers((one, other) => one - other),
  '*': numbers((one, other) => one * other),
  '/': numbers((one, other) => (other === 0 ? null : one / other)),
  has: (one, other) => has(lower(one), lower(other)),
  '!has': (one, other) => !has(lower(one), lower(other)),
  startswith: (one, other) => lower(one).startsWith(lower(other)),
  contains: (one, other) => lower(one).includes(lower(other)),
};

const number = (value: Value): number | null => {
  const read = value === null || value === '' ? Number.NaN : Number(value);
  return Number.isNaN(read) ? null : read;
};
const whole = ([value = null]: readonly Value[]): Value => {
  const read = number(value);
  return read === null ? null : Math.trunc(read);
};
export const FUNCTIONS: Readonly<Record<string, (given: readonly Value[], nowMs: number) => Value>> = {
  ago: ([span = null], nowMs) => nowMs - Number(span),
  not: ([value = null]) => (value === null ? null : value !== true),
  tolong: whole,
  toint: whole,
  todouble: ([value = null]) => number(value),
  tobool: ([value = null]) =>
    /^(true|1)$/i.test(String(value)) ? true : /^(false|0)$/i.test(String(value)) ? false : null,
  isnotempty: ([value = null]) => value !== null && value !== '',
  isempty: ([value = null]) => value === null || value === '',
  iff: ([condition = null, one = null, other = null]) => (condition === true ? one : other),
  coalesce: (given) => given.find((value) => value !== null) ?? null,
  bin: ([value = null, step = null]) => numbers((one, other) => Math.floor(one / other) * other)(value, step),
  round: ([value = null, digits = null]) =>
    typeof value === 'number' ? Number(value.toFixed(Number(digits))) : null,
  tostring: ([value = null]) => String(value ?? ''),
  trim: ([pattern = null, text = null]) =>
    String(text ?? '').replace(new RegExp(`^(?:${pattern})|(?:${pattern})$`, 'g'), ''),
  extract: ([pattern = null, group = null, text = null]) =>
    new RegExp(String(pattern)).exec(String(text ?? ''))?.[Number(group)] ?? '',
};

const valuesOf = (rows: readonly Row[], of: Of): number[] =>
  rows.flatMap((row) => {
    const value = of(row);
    return typeof value === 'number' ? [value] : [];
  });
export const AGGREGATES: Readonly<Record<string, (rows: readonly Row[], of: Of, argument: number) => Value>> =
  {
    count: (rows) => rows.length,
    countif: (rows, of) => rows.filter((row) => of(row) === true).length,
    percentile: (rows, of, share) => {
      const values = valuesOf(rows, of).sort((one, other) => one - other);
      return values[Math.max(0, Math.ceil((share / 100) * values.length) - 1)] ?? null;
    },
    dcount: (rows, of) => new Set(rows.map(of)).size,
    sum: (rows, of) => valuesOf(rows, of).reduce((all, value) => all + value, 0),
    min: (rows, of) =>
      valuesOf(rows, of).reduce<number | null>((all, value) => Math.min(all ?? value, value), null),
    max: (rows, of) =>
      valuesOf(rows, of).reduce<number | null>((all, value) => Math.max(all ?? value, value), null),
  };

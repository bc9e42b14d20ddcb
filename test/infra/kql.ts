/**
 * The part of the Kusto Query Language that the alerts use, evaluated over rows that a test brings. No registry has an
 * evaluator; this one refuses whatever it does not know, so that no query is understood by half.
 * https://learn.microsoft.com/kusto/query/
 */

export type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;
export type Tables = Readonly<Record<string, readonly Row[]>>;

/** @throws Error for what is not of the language, not of the part that is known here, or no column of a row */
export function kql(query: string, tables: Tables, nowMs: number): readonly Row[] {
  const words = tokens(query);
  let at = 0;
  const peek = (): string => words[at] ?? '';
  const next = (): string => words[at++] ?? '';
  const take = (wanted: string): void => {
    const found = next();
    if (found !== wanted) throw new Error(`${wanted} is wanted before ${found} ${words.slice(at).join(' ')}`);
  };
  const takes = (wanted: string): boolean => {
    if (peek() !== wanted) return false;
    at += 1;
    return true;
  };
  const list = <Item>(one: () => Item): Item[] => {
    const items = [one()];
    while (takes(',')) items.push(one());
    return items;
  };

  function pipeline(): readonly Row[] {
    let rows = source();
    while (takes('|')) rows = operator(rows);
    return rows;
  }
  function source(): readonly Row[] {
    if (takes('union'))
      return list(() => {
        if (!takes('(')) return source();
        const rows = pipeline();
        take(')');
        return rows;
      }).flat();
    const name = next();
    return tables[name] ?? fail(`no table ${name}`);
  }
  function operator(rows: readonly Row[]): readonly Row[] {
    const name = next();
    switch (name) {
      case 'where': {
        const holds = expression();
        return rows.filter((row) => holds(row) === true);
      }
      case 'extend':
      case 'project': {
        const columns = list(named);
        return rows.map((row) => ({
          ...(name === 'extend' && row),
          ...Object.fromEntries(columns.map(([column, of]) => [column, of(row)])),
        }));
      }
      case 'summarize':
        return summarize(rows);
      case 'join': {
        for (const word of ['kind', '=', 'leftanti', '(']) take(word);
        const others = pipeline();
        take(')');
        take('on');
        const column = next();
        const known = new Set(others.map((row) => cell(row, column)));
        return rows.filter((row) => !known.has(cell(row, column)));
      }
      default:
        return fail(`no operator ${name}`);
    }
  }
  function named(): readonly [string, Of] {
    if (words[at + 1] === '=') {
      const column = next();
      take('=');
      return [column, expression()];
    }
    const column = peek();
    return [column, expression()];
  }
  function summarize(rows: readonly Row[]): readonly Row[] {
    const sums = list((): readonly [string, (rows: readonly Row[]) => Value] => {
      const column = next();
      take('=');
      const name = next();
      take('(');
      const given = peek() === ')' ? [] : list(expression);
      take(')');
      const [of] = given;
      const aggregate = AGGREGATES[name] ?? fail(`no aggregate ${name}`);
      return [column, (some) => aggregate(some, of ?? (() => null))];
    });
    const by = takes('by') ? list(named) : [];
    const groups = new Map<string, Row[]>();
    // Without a group there is one row, of no rows too.
    if (by.length === 0) groups.set('[]', []);
    for (const row of rows) {
      const key = JSON.stringify(by.map(([, of]) => of(row)));
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    return [...groups].map(([key, some]) => ({
      ...Object.fromEntries(by.map(([column], index) => [column, JSON.parse(key)[index]])),
      ...Object.fromEntries(sums.map(([column, sum]) => [column, sum(some)])),
    }));
  }

  function expression(): Of {
    return binary(['or'], () => binary(['and'], comparison));
  }
  function binary(names: readonly string[], inner: () => Of): Of {
    let left = inner();
    while (names.includes(peek())) {
      const name = next();
      const [first, second] = [left, inner()];
      const apply = OPERATORS[name] ?? fail(name);
      left = (row) => apply(first(row), second(row));
    }
    return left;
  }
  function comparison(): Of {
    const left = binary(['+', '-'], () => binary(['*', '/'], term));
    const name = peek();
    if (['in', '!in', 'in~', 'has_any'].includes(name)) {
      next();
      take('(');
      const items = list(expression);
      take(')');
      const one = OPERATORS[name === 'has_any' ? 'has' : name === 'in~' ? '=~' : '=='] ?? fail(name);
      const isAny: Of = (row) => items.some((item) => one(left(row), item(row)) === true);
      return name === '!in' ? (row) => isAny(row) !== true : isAny;
    }
    const apply = COMPARISONS.includes(name) ? OPERATORS[next()] : undefined;
    if (apply === undefined) return left;
    const right = binary(['+', '-'], () => binary(['*', '/'], term));
    return (row) => apply(left(row), right(row));
  }
  function term(): Of {
    const word = next();
    if (word === '(') {
      const inner = expression();
      take(')');
      return inner;
    }
    if (word.startsWith('"')) return () => JSON.parse(word);
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(word) ?? [];
    if (amount !== undefined) return () => Number(amount) * (UNIT_MS[unit ?? ''] ?? 1);
    if (!/^\w+$/.test(word)) return fail(`${word} ${words.slice(at).join(' ')}`);
    if (!takes('(')) return (row) => cell(row, word);
    if (word === 'column_ifexists') {
      const column = JSON.parse(next());
      take(',');
      const otherwise = expression();
      take(')');
      return (row) => row[column] ?? otherwise(row);
    }
    const given = peek() === ')' ? [] : list(expression);
    take(')');
    const apply = FUNCTIONS[word] ?? fail(`no function ${word}`);
    return (row) =>
      apply(
        given.map((of) => of(row)),
        nowMs,
      );
  }

  const found = pipeline();
  if (at < words.length) throw new Error(`not understood: ${words.slice(at).join(' ')}`);
  return found;
}

type Of = (row: Row) => Value;
const fail = (what: string): never => {
  throw new Error(`KQL: ${what}`);
};
const cell = (row: Row, column: string): Value => {
  const value = row[column];
  return value === undefined ? fail(`no column ${column}`) : value;
};
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function tokens(query: string): string[] {
  const pattern =
    /\s+|"(?:[^"\\]|\\.)*"|!has\b|!in\b|in~|\d+(?:\.\d+)?(?:ms|s|m|h|d)?\b|\w+|[=!<>]=|=~|[-+*/|(),=<>]/gy;
  const words: string[] = [];
  while (pattern.lastIndex < query.length) {
    const from = pattern.lastIndex;
    const [word] = pattern.exec(query) ?? fail(`not of the language: ${query.slice(from)}`);
    if (word.trim() !== '') words.push(word);
  }
  return words;
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

const COMPARISONS = ['==', '!=', '=~', '>', '>=', '<', '<=', 'has', '!has', 'startswith', 'contains'];
const OPERATORS: Readonly<Record<string, (one: Value, other: Value) => Value>> = {
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
const FUNCTIONS: Readonly<Record<string, (given: readonly Value[], nowMs: number) => Value>> = {
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
  extract: ([pattern = null, group = null, text = null]) =>
    new RegExp(String(pattern)).exec(String(text ?? ''))?.[Number(group)] ?? '',
};

const valuesOf = (rows: readonly Row[], of: Of): number[] =>
  rows.flatMap((row) => {
    const value = of(row);
    return typeof value === 'number' ? [value] : [];
  });
const AGGREGATES: Readonly<Record<string, (rows: readonly Row[], of: Of) => Value>> = {
  count: (rows) => rows.length,
  countif: (rows, of) => rows.filter((row) => of(row) === true).length,
  dcount: (rows, of) => new Set(rows.map(of)).size,
  sum: (rows, of) => valuesOf(rows, of).reduce((all, value) => all + value, 0),
  min: (rows, of) =>
    valuesOf(rows, of).reduce<number | null>((all, value) => Math.min(all ?? value, value), null),
  max: (rows, of) =>
    valuesOf(rows, of).reduce<number | null>((all, value) => Math.max(all ?? value, value), null),
};

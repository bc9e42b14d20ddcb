/**
 * The part of the Kusto Query Language that the alerts and the workbook use, evaluated over rows that a test brings. No
 * registry has an evaluator; this one refuses whatever it does not know, so that no query is understood by half.
 * https://learn.microsoft.com/kusto/query/
 */
import {
  AGGREGATES,
  COMPARISONS,
  compared,
  FUNCTIONS,
  fail,
  type Of,
  OPERATORS,
  type Row,
  type Tables,
  UNIT_MS,
  type Value,
} from './kql-values.ts';

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
      case 'order': {
        take('by');
        const [column, way] = [next(), next()];
        if (way !== 'asc' && way !== 'desc') return fail(`asc or desc is wanted before ${way}`);
        const sign = way === 'asc' ? 1 : -1;
        return [...rows].sort((one, other) => sign * compared(cell(one, column), cell(other, column)));
      }
      case 'take':
        return rows.slice(0, Number(next()));
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
    const sums = list((): ((rows: readonly Row[]) => Row) => {
      if (takes('arg_max')) return latest();
      const column = next();
      take('=');
      const name = next();
      take('(');
      const [of, argument] = peek() === ')' ? [] : list(expression);
      take(')');
      const aggregate = AGGREGATES[name] ?? fail(`no aggregate ${name}`);
      return (some) => ({ [column]: aggregate(some, of ?? (() => null), Number(argument?.({}))) });
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
      ...Object.assign({}, ...sums.map((sum) => sum(some))),
    }));
  }
  /** `arg_max(column, others…)`: these columns of the row with the most of the first. */
  function latest(): (rows: readonly Row[]) => Row {
    take('(');
    const columns = list(next);
    take(')');
    const [first = ''] = columns;
    return (rows) => {
      const row = rows.reduce((one, other) =>
        compared(cell(other, first), cell(one, first)) > 0 ? other : one,
      );
      return Object.fromEntries(columns.map((column) => [column, cell(row, column)]));
    };
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
    if (word.startsWith("'")) return () => word.slice(1, -1);
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

const cell = (row: Row, column: string): Value => {
  const value = row[column];
  return value === undefined ? fail(`no column ${column}`) : value;
};

function tokens(query: string): string[] {
  const pattern =
    /\s+|"(?:[^"\\]|\\.)*"|'[^'\\]*'|!has\b|!in\b|in~|\d+(?:\.\d+)?(?:ms|s|m|h|d)?\b|\w+|[=!<>]=|=~|[-+*/|(),=<>]/gy;
  const words: string[] = [];
  while (pattern.lastIndex < query.length) {
    const from = pattern.lastIndex;
    const [word] = pattern.exec(query) ?? fail(`not of the language: ${query.slice(from)}`);
    if (word.trim() !== '') words.push(word);
  }
  return words;
}

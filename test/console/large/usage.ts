/** The roll-ups of the exchanges, and the answers of `GET /operator/usage` from them. */
import { type Exchange, idOf, iso } from './data.ts';

const HOUR_MS = 3_600_000;
export interface Cell {
  readonly hourMs: number;
  readonly values: Readonly<Record<string, string>>;
  count: number;
  lastMs: number;
}

export function rollUp(all: Iterable<Exchange>): readonly Cell[] {
  const cells = new Map<string, Cell>();
  for (const exchange of all) {
    const { atMs, caller, resource, kind, outcome, reason } = exchange;
    const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    const key = `${hourMs} ${caller} ${resource} ${kind} ${outcome} ${reason}`;
    const known = cells.get(key);
    if (known === undefined) cells.set(key, { hourMs, values: valuesOf(exchange), count: 1, lastMs: atMs });
    else {
      known.count += 1;
      known.lastMs = atMs;
    }
  }
  return [...cells.values()];
}
const valuesOf = ({ caller, resource, grant, kind, outcome, reason }: Exchange) => ({
  caller: idOf('d', caller),
  clientId: idOf('c', caller),
  resource,
  grant,
  kind,
  outcome,
  ...(reason && { reason }),
});

const beginOf: Readonly<Record<string, (ms: number) => number>> = {
  hour: (ms) => ms,
  day: (ms) => Math.floor(ms / (24 * HOUR_MS)) * 24 * HOUR_MS,
  month: (ms) => Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth()),
};
const DIMENSIONS = ['resource', 'caller', 'grant', 'kind', 'outcome', 'reason'];

/** Added up once for each question; its pages are cut from that. */
export function usageOf(cells: readonly Cell[]) {
  const asked = new Map<string, readonly object[]>();
  return (query: URLSearchParams): { readonly items: readonly object[]; readonly next?: string } => {
    const limit = Number(query.get('limit') ?? 100);
    const after = Number(query.get('after') ?? 0);
    query.delete('limit');
    query.delete('after');
    const items = asked.get(String(query)) ?? add(cells, query);
    asked.set(String(query), items);
    const end = after + limit;
    return { items: items.slice(after, end), ...(end < items.length && { next: String(end) }) };
  };
}

function add(cells: readonly Cell[], query: URLSearchParams): readonly object[] {
  const named = (query.get('by') ?? '').split(',').filter(Boolean);
  const by = named.includes('caller') ? [...named, 'clientId'] : named;
  const [fromMs, toMs] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')];
  const begin = beginOf[query.get('per') ?? 'day'] ?? (() => fromMs);
  const only = DIMENSIONS.filter((name) => query.has(name));
  const sums = new Map<string, { at: string; count: number; lastMs: number; lastAt: string }>();
  for (const { hourMs, values, count, lastMs } of cells) {
    if (hourMs < fromMs || hourMs >= toMs || only.some((name) => values[name] !== query.get(name))) continue;
    const atMs = begin(hourMs);
    const key = [atMs, ...by.map((name) => values[name])].join(' ');
    const dimensions = Object.fromEntries(by.flatMap((name) => (values[name] ? [[name, values[name]]] : [])));
    const sum = sums.get(key) ?? { at: iso(atMs), ...dimensions, count: 0, lastMs: 0, lastAt: '' };
    sum.count += count;
    if (lastMs > sum.lastMs) Object.assign(sum, { lastMs, lastAt: iso(lastMs) });
    sums.set(key, sum);
  }
  const items = [...sums.values()].map(({ lastMs: _, ...item }) => item);
  // As the broker has them: the earliest period first, and in it what there was most of.
  return items.sort((one, other) =>
    one.at === other.at ? other.count - one.count : one.at < other.at ? -1 : 1,
  );
}

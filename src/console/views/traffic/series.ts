/** From roll-ups to what the traffic's chart and table show. Pure. */
import type { Params } from '../../route.ts';
import type { Usage } from '../../wire.ts';

export const DIMENSIONS = ['resource', 'caller', 'grant', 'kind', 'reason'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/**
 * What one column of the chart stands for, and the roll-ups that it is added up from. A week has whole days, as its
 * roll-ups do.
 */
export const SPANS = {
  day: { title: 'Last 24 hours', per: 'hour', columns: 24, hours: 1, whole: 1 },
  week: { title: 'Last 7 days', per: 'hour', columns: 28, hours: 6, whole: DAY_HOURS },
  month: { title: 'Last 30 days', per: 'day', columns: 30, hours: DAY_HOURS, whole: DAY_HOURS },
  year: { title: 'Last 12 months', per: 'month', columns: 12, hours: 0, whole: 0 },
} as const;
export type SpanName = keyof typeof SPANS;

export interface Asked {
  readonly by: Dimension;
  readonly span: SpanName;
  /** Where each column begins, in milliseconds; one more at the end says where the last one ends. */
  readonly edges: readonly number[];
  /** Only what has these values is shown. */
  readonly only: Readonly<Partial<Record<Dimension, string>>>;
}

/** Whatever the address says, something is asked. */
export function readAsked({ by, span, ...params }: Params, now: number): Asked {
  const name = span !== undefined && Object.hasOwn(SPANS, span) ? (span as SpanName) : 'day';
  const only = Object.fromEntries(
    DIMENSIONS.flatMap((dimension) => {
      const value = params[dimension];
      return value === undefined ? [] : [[dimension, value]];
    }),
  );
  const free = DIMENSIONS.filter((dimension) => only[dimension] === undefined);
  const wanted = DIMENSIONS.find((dimension) => dimension === by) ?? free[0] ?? 'resource';
  return { by: wanted, span: name, edges: edgesOf(name, now), only };
}

/** The present is in the last columns. Roll-ups begin at whole hours, days and months of UTC, and so do columns. */
function edgesOf(span: SpanName, now: number): number[] {
  const { columns, hours, whole } = SPANS[span];
  const back = Array.from({ length: columns + 1 }, (_, place) => columns - place);
  if (hours === 0) {
    const date = new Date(now);
    return back.map((months) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1 - months));
  }
  const wholeMs = whole * HOUR_MS;
  const endMs = (Math.floor(now / wholeMs) + 1) * wholeMs;
  return back.map((steps) => endMs - steps * hours * HOUR_MS);
}

export interface Column {
  readonly fromMs: number;
  readonly toMs: number;
  readonly granted: number;
  readonly refused: number;
}

export function columnsOf(items: readonly Usage[], edges: readonly number[]): readonly Column[] {
  const columns = edges
    .slice(1)
    .map((toMs, place) => ({ fromMs: edges[place] ?? 0, toMs, granted: 0, refused: 0 }));
  for (const { at, outcome, count } of items) {
    const atMs = Date.parse(at);
    const column = columns.find(({ toMs }) => atMs < toMs);
    if (column === undefined || atMs < column.fromMs) continue;
    if (outcome === 'granted') column.granted += count;
    if (outcome === 'refused') column.refused += count;
  }
  return columns;
}

export interface Share {
  /** '' where the roll-ups have none, such as the caller of a token that nobody could verify. */
  readonly value: string;
  readonly granted: number;
  readonly refused: number;
  readonly lastAt: string;
}

/** Most exchanges first. */
export function sharesOf(items: readonly Usage[], by: Dimension): readonly Share[] {
  const shares = new Map<string, { value: string; granted: number; refused: number; lastAt: string }>();
  for (const item of items) {
    const value = item[by] ?? '';
    const share = shares.get(value) ?? { value, granted: 0, refused: 0, lastAt: item.lastAt };
    shares.set(value, share);
    if (item.outcome === 'granted') share.granted += item.count;
    if (item.outcome === 'refused') share.refused += item.count;
    if (item.lastAt > share.lastAt) share.lastAt = item.lastAt;
  }
  const all = ({ granted, refused }: Share): number => granted + refused;
  return [...shares.values()].sort((one, other) => all(other) - all(one));
}

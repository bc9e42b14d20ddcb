/**
 * Who used what, how much and when last, from the roll-ups: a month of one resource is some thirty rows, whatever the
 * volume. Where what is asked for needs more than the calls of one page, the page says where the next one begins.
 */
import { iso } from '../iso.ts';
import { type Cell, Cells } from './cell-shape.ts';
import type { BooksReader, RollUp, RollUpKey } from './ports.ts';

export const DIMENSIONS = ['resource', 'caller', 'grant', 'kind', 'outcome', 'reason'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
/** `span`: all of it as one, by the hour where it is at most two days, so that its ends are exact. */
export const PERIODS = ['hour', 'day', 'month', 'span'] as const;
export type Period = (typeof PERIODS)[number];

export interface UsageQuery {
  readonly fromMs: number;
  /** What begins before it is counted. */
  readonly toMs: number;
  readonly by: readonly Dimension[];
  readonly per: Period;
  /** Only what has these; a caller is an object id or a client id. */
  readonly only: Readonly<Partial<Record<Dimension, string>>>;
  readonly limit: number;
  readonly after: UsagePlace | undefined;
}
/** Where a page begins: after a roll-up, and so many items further on. */
export interface UsagePlace {
  readonly key: RollUpKey | undefined;
  readonly items: number;
}
export interface UsageItem {
  /** When the period begins. */
  readonly at: string;
  readonly resource?: string;
  /** The object id. */
  readonly caller?: string;
  readonly clientId?: string;
  readonly tenantId?: string;
  readonly grant?: string;
  readonly kind?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly count: number;
  readonly lastAt: string;
}
export interface UsagePage {
  readonly items: readonly UsageItem[];
  readonly next?: UsagePlace;
}

/** All table calls of one page. */
export const MAX_CALLS = 20;
const MAX_HOURLY_MS = 48 * 3_600_000;
const HOUR_CHARACTERS = 13;
const DAY_CHARACTERS = 10;
const MONTH_CHARACTERS = 7;

/** @throws UpstreamFailure */
export async function usage(books: BooksReader, query: UsageQuery): Promise<UsagePage> {
  const { fromMs, toMs, per, only, limit, after } = query;
  const isByHour = per === 'hour' || (per === 'span' && toMs - fromMs <= MAX_HOURLY_MS);
  const characters = isByHour ? HOUR_CHARACTERS : DAY_CHARACTERS;
  const page = await books.rollUps({
    per: isByHour ? 'hour' : 'day',
    resource: only.resource,
    first: iso(fromMs).slice(0, characters),
    last: iso(Math.max(fromMs, toMs - 1)).slice(0, characters),
    after: after?.key,
    calls: MAX_CALLS,
  });
  const all = sorted(summed(page.items, query));
  const from = after?.items ?? 0;
  const items = all.slice(from, from + limit);
  if (from + limit < all.length) return { items, next: { key: after?.key, items: from + limit } };
  return page.next === undefined ? { items } : { items, next: { key: page.next, items: 0 } };
}

function summed(rollUps: readonly RollUp[], query: UsageQuery): UsageItem[] {
  const items = new Map<string, UsageItem>();
  for (const { resource, at, cells } of rollUps)
    for (const cell of Cells.read(cells).values()) {
      if (!isAsked(cell, query.only)) continue;
      const what = { at: beginningOf(at, query), ...named(resource, cell, query.by) };
      const key = JSON.stringify(what);
      const known = items.get(key);
      const lastAt = iso(cell.lastAtMs);
      items.set(key, {
        ...what,
        count: cell.count + (known?.count ?? 0),
        lastAt: known !== undefined && known.lastAt > lastAt ? known.lastAt : lastAt,
      });
    }
  return [...items.values()];
}

function beginningOf(at: string, { per, fromMs }: UsageQuery): string {
  if (per === 'hour') return `${at}:00:00.000Z`;
  if (per === 'day') return `${at}T00:00:00.000Z`;
  return per === 'month' ? `${at.slice(0, MONTH_CHARACTERS)}-01T00:00:00.000Z` : iso(fromMs);
}

function isAsked(cell: Cell, { caller, grant, kind, outcome, reason }: UsageQuery['only']): boolean {
  const isIt = (wanted: string | undefined, is: string) => wanted === undefined || wanted === is;
  return (
    (caller === undefined || cell.objectId === caller || cell.clientId === caller) &&
    isIt(grant, cell.grant) &&
    isIt(kind, cell.kind) &&
    isIt(outcome, cell.outcome) &&
    isIt(reason, cell.reason)
  );
}

/** What is not known of an exchange is left out: a caller who was not verified, a grant where none applied. */
function named(resource: string, cell: Cell, by: readonly Dimension[]): Partial<UsageItem> {
  const of: Readonly<Record<Dimension, Readonly<Record<string, string>>>> = {
    resource: { resource },
    caller: { caller: cell.objectId, clientId: cell.clientId, tenantId: cell.tenantId },
    grant: { grant: cell.grant },
    kind: { kind: cell.kind },
    outcome: { outcome: cell.outcome },
    reason: { reason: cell.reason },
  };
  const texts = DIMENSIONS.filter((name) => by.includes(name)).flatMap((name) => Object.entries(of[name]));
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

/** The earliest period first, and in it what there was most of. */
function sorted(items: readonly UsageItem[]): UsageItem[] {
  const keyed = items.map((item) => ({ item, key: JSON.stringify(item) }));
  keyed.sort(
    (one, other) =>
      compared(one.item.at, other.item.at) ||
      other.item.count - one.item.count ||
      compared(one.key, other.key),
  );
  return keyed.map(({ item }) => item);
}
const compared = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

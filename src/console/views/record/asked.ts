/** Which records are asked for, from what the address says. Pure. */
import type { Params } from '../../route.ts';
import type { AuditRecord } from '../../wire.ts';

export const OUTCOMES = ['granted', 'refused', 'withheld', 'done', 'failed'] as const;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface AskedRecords {
  readonly fromMs: number;
  readonly toMs: number;
  readonly resource?: string | undefined;
  readonly caller?: string | undefined;
  readonly outcome?: string | undefined;
  readonly correlation?: string | undefined;
}

/**
 * A span of its own (`from`, `to`), a day of the reader's (`day`), or else the last hour. A correlation id of the
 * broker's begins with its time, so that it finds its own minutes.
 */
export function readAskedRecords(params: Params, now: number): AskedRecords {
  const { resource, outcome, correlation } = params;
  const others = {
    resource,
    // The broker refuses what is no id.
    caller: GUID.test(params['caller'] ?? '') ? params['caller'] : undefined,
    outcome: OUTCOMES.find((known) => known === outcome),
    correlation,
  };
  const [fromMs, toMs] = [Date.parse(params['from'] ?? ''), Date.parse(params['to'] ?? '')];
  if (fromMs < toMs) return { fromMs, toMs, ...others };
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(params['day'] ?? '');
  if (day !== null) {
    const [year = 0, month = 1, date = 1] = day.slice(1).map(Number);
    return {
      fromMs: new Date(year, month - 1, date).getTime(),
      toMs: new Date(year, month - 1, date + 1).getTime(),
      ...others,
    };
  }
  const atMs = timeIn(correlation);
  if (atMs !== undefined) return { fromMs: atMs - MINUTE_MS, toMs: atMs + MINUTE_MS, ...others };
  const nextMinute = Math.floor(now / MINUTE_MS + 1) * MINUTE_MS;
  return { fromMs: nextMinute - HOUR_MS, toMs: nextMinute, ...others };
}

/** The time in a UUID of version 7. */
function timeIn(id = ''): number | undefined {
  const digits = id.replaceAll('-', '');
  return /^[0-9a-f]{12}7[0-9a-f]{19}$/i.test(digits) ? Number.parseInt(digits.slice(0, 12), 16) : undefined;
}

/** `2026-11-27`, in the reader's own zone. */
export function dayOf(ms: number): string {
  const date = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export interface ShownRecord {
  readonly at: string;
  readonly outcome: string;
  readonly count: number;
  readonly who: string;
  readonly what: string;
  readonly why: string;
  readonly correlationId: string;
}

export function shownRecord(record: AuditRecord): ShownRecord {
  const text = (name: string): string => (typeof record[name] === 'string' ? record[name] : '');
  const { at, outcome, count = 1, act, target = '', resource = '', problem, correlationId } = record;
  const kind = text('tokenKind');
  const exchange = `${resource}${kind && ` (${kind})`}`;
  return {
    at,
    outcome,
    count,
    who: text('objectId') || text('clientId'),
    what: act === undefined ? exchange : `${act} ${target}`.trim(),
    why: text('reason') || problem || text('grant'),
    correlationId,
  };
}

/**
 * The record: `GET /operator/usage` (who used what, from the roll-ups), `GET /operator/proof` (the entries of the
 * chain) and `GET /operator/audit/export` (rows with their proof, as JSON Lines).
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import type { Clock } from '../../ports.ts';
import { type ExportPage, exportPage, type RecordReaders } from '../../record/export.ts';
import { addMinutes, type Minute, minuteOf } from '../../record/minute.ts';
import { proofPage } from '../../record/proof-page.ts';
import { DIMENSIONS, PERIODS, type UsagePlace, usage } from '../../record/usage.ts';
import { AUDITOR } from '../../revocation/admit.ts';
import { badRequest, json, PAGE, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';

export interface RecordPorts {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly readers: RecordReaders;
  /** Whether the time of a page that began now is over. */
  readonly pageTime: () => () => boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long before `to` a span begins that says no `from`. */
const BACK_MS = { hour: DAY_MS, day: 30 * DAY_MS, month: 365 * DAY_MS, span: 30 * DAY_MS } as const;
const MAX_SPAN_MS = 3 * 366 * DAY_MS;
const MAX_LIMIT = 1_000;
const instant = z.iso.datetime({ offset: true });
const MINUTE = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;

export function createRecordRoutes({ gate, clock, readers, pageTime }: RecordPorts) {
  /** @returns the span, or what is wrong */
  function spanOf({ query }: HttpRequest, backMs: number): { fromMs: number; toMs: number } | string {
    for (const name of ['from', 'to'])
      if (query.has(name) && !instant.safeParse(query.get(name)).success)
        return `${name} must be a time in RFC 3339, such as 2026-11-22T09:00:00Z`;
    const toMs = query.has('to') ? Date.parse(query.get('to') ?? '') : clock();
    const fromMs = query.has('from') ? Date.parse(query.get('from') ?? '') : toMs - backMs;
    if (fromMs > toMs) return 'from must not be after to';
    return toMs - fromMs > MAX_SPAN_MS ? 'a span is three years at most' : { fromMs, toMs };
  }

  async function readUsage(request: HttpRequest): Promise<HttpResponseInit> {
    const { query } = request;
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const per = z.enum(PERIODS).safeParse(query.get('per') ?? 'day');
    if (!per.success) return badRequest(`per must be one of ${PERIODS.join(', ')}`);
    const by = z
      .array(z.enum(DIMENSIONS))
      .safeParse((query.get('by') ?? 'resource').split(',').filter(Boolean));
    if (!by.success) return badRequest(`by must be some of ${DIMENSIONS.join(', ')}, with commas between`);
    const span = spanOf(request, BACK_MS[per.data]);
    if (typeof span === 'string') return badRequest(span);
    const after = page.after === undefined ? undefined : readPlace(page.after);
    if (after === 'unreadable') return badRequest('after must be the next of the page before');
    const only = Object.fromEntries(
      DIMENSIONS.filter((name) => query.has(name)).map((name) => [name, query.get(name) ?? '']),
    );
    const { items, next } = await usage(readers.books, {
      ...span,
      by: by.data,
      per: per.data,
      only,
      limit: query.has('limit') ? page.limit : MAX_LIMIT,
      after,
    });
    return json(200, next === undefined ? { items } : { items, next: placeText(next) });
  }

  /** @returns the minutes of the span and where to go on, or what is wrong */
  function minutesOf(
    request: HttpRequest,
  ): { first: Minute; last: Minute; after: Minute | undefined } | string {
    const span = spanOf(request, HOUR_MS);
    if (typeof span === 'string') return span;
    const after = request.query.get('after') ?? undefined;
    const isMinute = after === undefined || (MINUTE.test(after) && instant.safeParse(`${after}:00Z`).success);
    if (!isMinute) return 'after must be the next of the page before';
    return { first: minuteOf(span.fromMs), last: minuteOf(Math.max(span.fromMs, span.toMs - 1)), after };
  }

  async function readProof(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const minutes = minutesOf(request);
    if (typeof minutes === 'string') return badRequest(minutes);
    return json(200, await proofPage(readers, minutes, page.limit));
  }

  async function exportAudit(request: HttpRequest): Promise<HttpResponseInit> {
    const minutes = minutesOf(request);
    if (typeof minutes === 'string') return badRequest(minutes);
    const page = await exportPage(readers, minutes, pageTime());
    return {
      status: 200,
      headers: { 'cache-control': 'no-store', 'content-type': 'application/jsonl', ...linkTo(minutes, page) },
      body: page.lines.map((line) => `${line}\n`).join(''),
    };
  }
  const usageQuery = ['from', 'to', 'by', 'per', ...DIMENSIONS, ...PAGE];
  return {
    readUsage: guarded(gate, { role: AUDITOR, act: 'read usage', query: usageQuery }, readUsage),
    readProof: guarded(gate, { role: AUDITOR, act: 'read proof', query: ['from', 'to', ...PAGE] }, readProof),
    exportAudit: guarded(
      gate,
      { role: AUDITOR, act: 'export audit', query: ['from', 'to', 'after'] },
      exportAudit,
    ),
  };
}

/** RFC 8288. The span is written out, because one without `to` ends elsewhere when the next page is asked for. */
function linkTo(
  { first, last }: { readonly first: Minute; readonly last: Minute },
  { next }: ExportPage,
): Readonly<Record<string, string>> {
  if (next === undefined) return {};
  const query = new URLSearchParams({ from: `${first}:00Z`, to: `${addMinutes(last, 1)}:00Z`, after: next });
  return { link: `</operator/audit/export?${query}>; rel="next"` };
}

const place = z.strictObject({
  key: z
    .strictObject({ per: z.enum(['hour', 'day']), resource: z.string().max(100), at: z.string().max(20) })
    .optional(),
  items: z.int().min(0),
});
const placeText = (at: UsagePlace): string => Buffer.from(JSON.stringify(at)).toString('base64url');
function readPlace(text: string): UsagePlace | 'unreadable' {
  try {
    const { data } = place.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return data === undefined ? 'unreadable' : { key: data.key, items: data.items };
  } catch {
    return 'unreadable';
  }
}

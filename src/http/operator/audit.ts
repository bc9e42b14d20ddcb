/** `GET /operator/audit`: what was decided and done in a span of time, the oldest first, a page at a time. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import type { Clock, ReadAudit } from '../../ports.ts';
import { AUDITOR } from '../../revocation/admit.ts';
import { badRequest, json, PAGE, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';

export interface AuditPorts {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly readAudit: ReadAudit;
  /** The name that the audit has for a resource, given its name, its endpoint or whatever a caller sent. */
  readonly recordedAs: (resource: string) => string;
}

/** What `next` looks like: a row's time and instance, then a record's number in it. The tables refuse odd characters, which would be a 503. */
const AFTER = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z-[\w-]{1,100})~(\d{1,4})$/;
const HOUR_MS = 3_600_000;
const instant = z.iso.datetime({ offset: true });
const OUTCOMES = z.enum(['granted', 'refused', 'withheld', 'done', 'failed']);
const QUERY = ['from', 'to', 'resource', 'caller', 'outcome', ...PAGE] as const;

export function createAuditRoutes({ gate, clock, readAudit, recordedAs }: AuditPorts) {
  async function read(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const { query } = request;
    for (const name of ['from', 'to'])
      if (query.has(name) && !instant.safeParse(query.get(name)).success)
        return badRequest(`${name} must be a time in RFC 3339, such as 2026-11-22T09:00:00Z`);
    const toMs = query.has('to') ? Date.parse(query.get('to') ?? '') : clock();
    const fromMs = query.has('from') ? Date.parse(query.get('from') ?? '') : toMs - HOUR_MS;
    if (fromMs > toMs) return badRequest('from must not be after to');
    const outcome = OUTCOMES.optional().safeParse(query.get('outcome') ?? undefined);
    if (!outcome.success) return badRequest(`outcome must be one of ${OUTCOMES.options.join(', ')}`);
    const caller = z
      .guid()
      .toLowerCase()
      .optional()
      .safeParse(query.get('caller') ?? undefined);
    if (!caller.success) return badRequest('caller must be an object id or a client id');
    const [, row, record] = AFTER.exec(page.after ?? '') ?? [];
    if (page.after !== undefined && row === undefined)
      return badRequest('after must be the next of the page before');
    const resource = query.get('resource');
    return json(
      200,
      await readAudit({
        fromMs,
        toMs,
        resource: resource === null ? undefined : recordedAs(resource),
        caller: caller.data,
        outcome: outcome.data,
        limit: page.limit,
        after: row === undefined ? undefined : { row, record: Number(record) },
      }),
    );
  }
  return { readAudit: guarded(gate, { role: AUDITOR, act: 'read audit', query: QUERY }, read) };
}

/** `GET /operator/audit`: who got what on a day, a page at a time. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { iso } from '../../iso.ts';
import type { AuditRecord, Clock } from '../../ports.ts';
import { type Admit, AUDITOR } from '../../revocation/admit.ts';
import { badRequest, guarded, json } from './guard.ts';

export interface AuditPorts {
  readonly admit: Admit;
  readonly clock: Clock;
  /** One page of the audit of a day (`2026-11-22`, UTC). `after` is the `next` of the page before, or empty. */
  readonly readAudit: (
    day: string,
    resource: string | undefined,
    after: string,
  ) => Promise<{ readonly records: readonly AuditRecord[]; readonly next?: string }>;
  /** The name that the audit has for a resource, given its name, its endpoint or whatever a caller sent. */
  readonly recordedAs: (resource: string) => string;
}

/** What `next` looks like: a time, then the instance. The tables refuse a query with odd characters, which would be a 503. */
const AUDIT_ROW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z-[\w-]{1,100}$/;

export function createAuditRoutes({ admit, clock, readAudit, recordedAs }: AuditPorts) {
  async function readDay({ query }: HttpRequest): Promise<HttpResponseInit> {
    const day = query.get('day') ?? iso(clock()).slice(0, 10);
    if (!z.iso.date().safeParse(day).success) return badRequest('day must be a date such as 2026-11-22');
    const after = query.get('after') ?? '';
    if (after !== '' && !AUDIT_ROW.test(after))
      return badRequest('after must be the next of the page before');
    const resource = query.get('resource');
    return json(200, await readAudit(day, resource === null ? undefined : recordedAs(resource), after));
  }
  return { readAudit: guarded(admit, AUDITOR, readDay, ['day', 'resource', 'after']) };
}

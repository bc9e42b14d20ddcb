import type { AuditRecord } from '../ports.ts';

const LONGEST = 300;
/**
 * What looks like a token or a key: a JWT, the 32 and more hexadecimal digits of an older key, or an unbroken
 * run that is longer than a GUID.
 */
const SECRET_LIKE = /eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,2}|[0-9a-fA-F]{32,}|[A-Za-z0-9+/_=-]{40,}/g;

/** The one field that words of a caller might ever reach: no audit row keeps a token (invariant 8). */
export function redact(record: AuditRecord): AuditRecord {
  if (record.reason === undefined) return record;
  return { ...record, reason: record.reason.replaceAll(SECRET_LIKE, '[redacted]').slice(0, LONGEST) };
}

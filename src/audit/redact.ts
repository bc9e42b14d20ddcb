import type { AuditRecord } from '../ports.ts';

const LONGEST = 300;
/** What looks like a token or a key: a JWT, or an unbroken run of 32 and more characters that is no GUID or name. */
const SECRET_LIKE = /eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,2}|[A-Za-z0-9+/_=-]{40,}/g;
/** Fields that the caller's own words may reach. The others are the broker's or Entra's. */
const FREE_TEXT = ['reason', 'resource'] as const;

/** A caller may put anything anywhere, a token into the target for one: no audit row keeps it (invariant 8). */
export function redact(record: AuditRecord): AuditRecord {
  const clean: Record<string, string> = { ...record };
  for (const field of FREE_TEXT) {
    const text = record[field];
    if (text !== undefined) clean[field] = text.slice(0, LONGEST).replaceAll(SECRET_LIKE, '[redacted]');
  }
  return clean as unknown as AuditRecord;
}

import type { AuditRecord } from '../ports.ts';
import { withoutSecrets } from '../secret.ts';

const LONGEST = 300;

/** The reason is the one field that words of a caller might ever reach: no audit row keeps a token (invariant 8). */
export function redact(record: AuditRecord): AuditRecord {
  if (record.reason === undefined) return record;
  return { ...record, reason: withoutSecrets(record.reason).slice(0, LONGEST) };
}

import type { AuditRecord } from '../ports.ts';
import { withoutSecrets } from '../secret.ts';

const MAX_REASON_CHARACTERS = 300;

/**
 * A caller's own words can reach the reason, so a token is looked for there (invariant 8). They also reach `resource`,
 * which is cleaned when it is read (policy/asked-for.ts), because a name of the policy must stay as it is.
 */
export function redact(record: AuditRecord): AuditRecord {
  if (record.reason === undefined) return record;
  return { ...record, reason: withoutSecrets(record.reason).slice(0, MAX_REASON_CHARACTERS) };
}

import { coalesce } from '../coalesce.ts';
import type { AuditLog, AuditRecord } from '../ports.ts';
import { redact } from './redact.ts';

/** Where the records end up: all of them durable, in one write, when it returns. Repeating a write is harmless. */
export type WriteAudit = (records: readonly AuditRecord[]) => Promise<void>;

/** As many fit one row of the table with room to spare. */
export const MAX_RECORDS_PER_WRITE = 500;

/**
 * Group commit: while one write is under way the records of other exchanges gather for the next, so that a
 * busy instance writes once for many exchanges and a quiet one waits for nothing but its own write.
 */
export function createAudit(write: WriteAudit): AuditLog {
  const commit = coalesce<AuditRecord, void>((records) => write(records.map(redact)), {
    parallel: 1,
    most: MAX_RECORDS_PER_WRITE,
  });
  return { append: commit };
}

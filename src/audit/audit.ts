import { coalesce, OVERLAPPING } from '../coalesce.ts';
import type { AuditLog, AuditRecord } from '../ports.ts';
import { redact } from './redact.ts';

/** Writes the records in one durable write. Repeating the same write changes nothing. */
export type WriteAudit = (records: readonly AuditRecord[]) => Promise<void>;

/** So many records fit into one row of the table, with room to spare. */
export const MAX_RECORDS_PER_WRITE = 200;

/**
 * Group commit: while a write is under way, the records of other exchanges are collected for the next one. So a busy
 * instance writes once for many exchanges, and on a quiet one an exchange waits for its own write only.
 */
export function createAudit(write: WriteAudit): AuditLog {
  const commit = coalesce<AuditRecord, void>((records) => write(records.map(redact)), {
    ...OVERLAPPING,
    most: MAX_RECORDS_PER_WRITE,
  });
  return { append: commit };
}

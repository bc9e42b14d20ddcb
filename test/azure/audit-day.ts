import { createAuditReader } from '../../src/azure/audit-table.ts';
import type { Tables } from '../../src/azure/tables.ts';
import type { AuditRecord } from '../../src/ports.ts';

/** All records of a day (`2026-11-22`, UTC), oldest first, read page by page as an operator reads them. */
export async function auditOfDay(tables: Tables, day: string, resource?: string): Promise<AuditRecord[]> {
  const readPage = createAuditReader(tables);
  const found: AuditRecord[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(day, resource, after);
    found.push(...page.records);
    after = page.next;
  }
  return found;
}

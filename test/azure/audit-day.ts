import { createAuditReader } from '../../src/azure/audit-table.ts';
import type { Tables } from '../../src/azure/tables.ts';
import type { AuditQuery, AuditRecord } from '../../src/ports.ts';

/** What an operator asks for by a day (`2026-11-22`, UTC). */
export const dayOf = (day: string, resource?: string, limit = 1_000): AuditQuery => ({
  fromMs: Date.parse(`${day}T00:00:00Z`),
  toMs: Date.parse(`${day}T23:59:59.999Z`),
  resource,
  caller: undefined,
  outcome: undefined,
  limit,
  after: undefined,
});

/** Each page of what was asked, as an operator reads them. */
export async function* pagesOf(
  tables: Tables,
  query: AuditQuery,
  pageMs?: number,
): AsyncGenerator<readonly AuditRecord[]> {
  const read = createAuditReader(tables, pageMs);
  for (let asked: AuditQuery | undefined = query; asked !== undefined; ) {
    const page: Awaited<ReturnType<typeof read>> = await read(asked);
    yield page.items;
    const [row = '', record] = page.next?.split('~') ?? [];
    asked = page.next === undefined ? undefined : { ...query, after: { row, record: Number(record) } };
  }
}

/** All records of a day, oldest first, read page by page as an operator reads them. */
export async function auditOfDay(tables: Tables, day: string, resource?: string): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  for await (const items of pagesOf(tables, dayOf(day, resource))) found.push(...items);
  return found;
}

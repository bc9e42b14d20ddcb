/**
 * The audit, in table `audit`. One row holds all records of one group commit. Its key is the time, and a column lists
 * its resources, so "who got tokens for this resource yesterday" is one query over one range of keys.
 * Each second is a partition, because a partition takes 2,000 rows a second, and all instances together may write more
 * (https://learn.microsoft.com/azure/storage/tables/scalability-targets).
 */

import type { WriteAudit } from '../audit/audit.ts';
import { iso } from '../iso.ts';
import type { AuditQuery, AuditRecord, Clock, ReadAudit, ReadSpan } from '../ports.ts';
import { call } from './call.ts';
import { chunks, joined } from './chunks.ts';
import type { Rows } from './rows.ts';
import type { Tables } from './tables.ts';

/** The list of resources is one property, which holds 32,768 characters at most. */
const MAX_CHARACTERS = 30_000;
/** The length of an ISO time without its fraction. Partition keys and row keys both begin with it, in one order. */
const SECOND = 19;

export function createAuditTable(rows: Rows, clock: Clock, instance: string): WriteAudit {
  let written = 0;
  return async (records) => {
    const now = iso(clock());
    written += 1;
    const row = {
      PartitionKey: now.slice(0, SECOND),
      RowKey: `${now}-${instance}-${written}`,
      resources: listOf(records),
      count: records.length,
      ...chunks('records', records.map((record) => JSON.stringify(record)).join('\n')),
    };
    // If the row exists already, an earlier attempt wrote it and its answer was lost.
    await call('tables', 'write audit', (signal) => rows.insert('audit', row, signal));
  };
}

/** Which resources have records in the row, between blanks; a star where they are too many for a property. */
function listOf(records: readonly AuditRecord[]): string {
  const names = new Set<string>();
  for (const { resource = '', samples } of records) {
    names.add(resource);
    for (const sample of samples ?? []) names.add(sample.resource ?? '');
  }
  const list = ` ${[...names].sort().join(' ')} `;
  return list.length > MAX_CHARACTERS ? ANY : list;
}
const ANY = ' * ';
const mayHold = (list: string, resource: string): boolean => list === ANY || list.includes(` ${resource} `);

/** Whether the record is about the resource, or one of its samples asked for it. */
const isAbout = (record: AuditRecord, resource: string): boolean =>
  record.resource === resource || record.samples?.some((sample) => sample.resource === resource) === true;

/**
 * A page ends after this time, also with few records or none. A span may have millions of rows, of which few are asked
 * for, and a page that looked through all of them would never be done in time.
 */
const PAGE_MS = 8_000;

/** The reader of a span, a page at a time, the oldest first. It throws UpstreamFailure. */
export function createAuditReader(tables: Tables, pageMs = PAGE_MS): ReadAudit {
  return (query) =>
    call(
      'tables',
      'read audit',
      async (signal) => {
        const items: AuditRecord[] = [];
        const startedAtMs = performance.now();
        const { after } = query;
        const filter = [
          `PartitionKey ge '${secondOf(query.fromMs)}' and RowKey ge '${iso(query.fromMs)}'`,
          // A row's key goes on after its time.
          `PartitionKey le '${secondOf(query.toMs)}' and RowKey lt '${iso(query.toMs)}~'`,
          ...(after === undefined
            ? []
            : [
                `PartitionKey ge '${quoted(after.row.slice(0, SECOND))}'`,
                `RowKey ge '${quoted(after.row)}'`,
              ]),
        ].join(' and ');
        for await (const { rowKey, records } of segmentsOf(tables, filter, query.resource, signal)) {
          const seen = after?.row === rowKey ? after.record : 0;
          for (const [index, record] of records.entries()) {
            if (index < seen || !isAsked(record, query)) continue;
            if (items.length === query.limit) return { items, next: `${rowKey}~${index}` };
            items.push(record);
          }
          // Each page goes beyond the row where the one before it ended.
          const isLate = performance.now() - startedAtMs > pageMs && rowKey !== after?.row;
          if (isLate) return { items, next: `${rowKey}~${records.length}` };
        }
        return { items };
      },
      { deadlineMs: 20_000 },
    );
}

const secondOf = (atMs: number): string => iso(atMs).slice(0, SECOND);

function isAsked(record: AuditRecord, { caller, outcome }: AuditQuery): boolean {
  if (outcome !== undefined && record.outcome !== outcome) return false;
  const { objectId, clientId, claims } = record;
  return caller === undefined || [objectId, clientId, claims?.agent?.blueprintId].includes(caller);
}

/** The reader of a span of any length. */
export function createAuditSpan(tables: Tables, spanMs = PAGE_MS): ReadSpan {
  return (fromMs, toMs, each) =>
    call(
      'tables',
      'read audit',
      async (signal) => {
        const startedAtMs = performance.now();
        const filter = `PartitionKey ge '${secondOf(fromMs)}' and PartitionKey le '${secondOf(toMs)}'`;
        for await (const { records } of segmentsOf(tables, filter, undefined, signal)) {
          if (!records.every(each)) return 'stopped';
          if (performance.now() - startedAtMs > spanMs) return 'unfinished';
        }
        return 'whole';
      },
      // Repeated, it would tell `each` of the same records again.
      { deadlineMs: 20_000, attempts: 1 },
    );
}

async function* segmentsOf(
  tables: Tables,
  filter: string,
  resource: string | undefined,
  abortSignal: AbortSignal,
): AsyncGenerator<{ rowKey: string; records: AuditRecord[] }> {
  const table = await tables('audit');
  const rows = table.listEntities<Record<string, unknown>>({
    queryOptions: { filter },
    abortSignal,
  });
  for await (const row of rows) {
    const rowKey = String(row.rowKey);
    if (resource !== undefined && !mayHold(String(row['resources']), resource)) {
      yield { rowKey, records: [] };
      continue;
    }
    const records = joined('records', row)
      .split('\n')
      .map((line) => JSON.parse(line) as AuditRecord);
    yield {
      rowKey,
      records: records.filter((record) => resource === undefined || isAbout(record, resource)),
    };
  }
}

/** OData: a quote inside a string is written twice. */
const quoted = (text: string) => text.replaceAll("'", "''");

/**
 * The audit, in table `audit`. One row holds all records of one group commit, named by time and marked with the
 * accounts it speaks of, so that "who got tokens for this account yesterday" is one query over one range.
 * A partition is a second: one of a whole day would hold all instances together to what one partition takes,
 * 2,000 rows a second (https://learn.microsoft.com/azure/storage/tables/scalability-targets).
 */
import * as z from 'zod';
import type { WriteAudit } from '../audit/audit.ts';
import type { AuditRecord, Clock } from '../ports.ts';
import { call } from './call.ts';
import type { Rows } from './rows.ts';
import type { Tables } from './tables.ts';

/** A string property holds 32,768 characters at most. */
const MAX_CHARACTERS = 30_000;
/** The characters of an ISO time down to its second. Row keys begin with the time too, so both have one order. */
const SECOND = 19;

export function createAuditTable(rows: Rows, clock: Clock, instance: string): WriteAudit {
  let written = 0;
  return async (records) => {
    const now = new Date(clock()).toISOString();
    written += 1;
    const row = {
      PartitionKey: now.slice(0, SECOND),
      RowKey: `${now}-${instance}-${written}`,
      resources: ` ${[...new Set(records.map(({ resource }) => resource ?? ''))].sort().join(' ')} `,
      count: records.length,
      ...chunks(records.map((record) => JSON.stringify(record)).join('\n')),
    };
    // A row that exists was written by an attempt whose answer was lost.
    await call('tables', 'write audit', (signal) => rows.insert('audit', row, signal));
  };
}

function chunks(text: string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (let from = 0, index = 0; from < text.length; from += MAX_CHARACTERS, index += 1)
    properties[`records${index}`] = text.slice(from, from + MAX_CHARACTERS);
  return properties;
}

/** The records of a day (`2026-11-22`, UTC), oldest first; of one resource where it is named. */
export async function* readAudit(
  tables: Tables,
  day: string,
  resource?: string,
): AsyncGenerator<AuditRecord> {
  for await (const { records } of segments(tables, day, resource, '')) yield* records;
}

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** Where to go on; absent at the end of the day. */
  readonly next?: string;
}
const PAGE_RECORDS = 1_000;

/** The reader's `after`: the `next` of the page before, or nothing. It throws UpstreamFailure. */
export function createAuditReader(tables: Tables) {
  return (day: string, resource: string | undefined, after: string): Promise<AuditPage> =>
    call(
      'tables',
      'read audit',
      async (signal) => {
        const records: AuditRecord[] = [];
        for await (const segment of segments(tables, day, resource, after, signal)) {
          records.push(...segment.records);
          if (records.length >= PAGE_RECORDS) return { records, next: segment.rowKey };
        }
        return { records };
      },
      { deadlineMs: 20_000 },
    );
}

async function* segments(
  tables: Tables,
  day: string,
  resource: string | undefined,
  after: string,
  abortSignal?: AbortSignal,
): AsyncGenerator<{ rowKey: string; records: AuditRecord[] }> {
  const table = await tables('audit');
  const filter = [
    `PartitionKey ge '${z.iso.date().parse(day)}' and PartitionKey lt '${day}U'`,
    `PartitionKey ge '${quoted(after.slice(0, SECOND))}' and RowKey gt '${quoted(after)}'`,
  ].join(' and ');
  const rows = table.listEntities<Record<string, unknown>>({
    queryOptions: { filter },
    ...(abortSignal && { abortSignal }),
  });
  for await (const row of rows) {
    if (resource !== undefined && !String(row['resources']).includes(` ${resource} `)) continue;
    let text = '';
    for (let index = 0; typeof row[`records${index}`] === 'string'; index += 1)
      text += String(row[`records${index}`]);
    const records = text.split('\n').map((line) => JSON.parse(line) as AuditRecord);
    yield {
      rowKey: String(row.rowKey),
      records: records.filter((record) => resource === undefined || record.resource === resource),
    };
  }
}

/** Inside an OData string a quote is doubled. */
const quoted = (text: string) => text.replaceAll("'", "''");

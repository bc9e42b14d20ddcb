/**
 * The audit, in table `audit`. One row holds all records of one group commit. Its key is the time, and a column lists
 * its resources, so "who got tokens for this resource yesterday" is one query over one range of keys.
 * Each second is a partition, because a partition takes 2,000 rows a second, and all instances together may write more
 * (https://learn.microsoft.com/azure/storage/tables/scalability-targets).
 */

import * as z from 'zod';
import type { WriteAudit } from '../audit/audit.ts';
import { iso } from '../iso.ts';
import type { AuditRecord, Clock, ReadSpan } from '../ports.ts';
import { call } from './call.ts';
import type { Rows } from './rows.ts';
import type { Tables } from './tables.ts';

/** A string property holds 32,768 characters at most. */
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
      ...chunks(records.map((record) => JSON.stringify(record)).join('\n')),
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

function chunks(text: string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (let from = 0, index = 0; from < text.length; from += MAX_CHARACTERS, index += 1)
    properties[`records${index}`] = text.slice(from, from + MAX_CHARACTERS);
  return properties;
}

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** The `after` of the next page; absent at the end of the day. */
  readonly next?: string;
}
const PAGE_RECORDS = 1_000;
/**
 * A page ends after this time, also with few records or none. A day may have millions of rows, of which few are of the
 * resource, and a page that looked through all of them would never be done in time.
 */
const PAGE_MS = 8_000;

/**
 * The reader of a day's records (`2026-11-22`, UTC), oldest first. With `resource`, only the records of that resource.
 * `after` is the `next` of the page before, or empty. It throws UpstreamFailure.
 */
export function createAuditReader(tables: Tables, pageMs = PAGE_MS) {
  return (day: string, resource: string | undefined, after: string): Promise<AuditPage> =>
    call(
      'tables',
      'read audit',
      async (signal) => {
        const records: AuditRecord[] = [];
        const startedAtMs = performance.now();
        for await (const segment of segments(tables, day, resource, after, signal)) {
          records.push(...segment.records);
          if (records.length >= PAGE_RECORDS || performance.now() - startedAtMs > pageMs)
            return { records, next: segment.rowKey };
        }
        return { records };
      },
      { deadlineMs: 20_000 },
    );
}

/** The reader of a span of any length. */
export function createAuditSpan(tables: Tables, spanMs = PAGE_MS): ReadSpan {
  return (fromMs, toMs, each) =>
    call(
      'tables',
      'read audit',
      async (signal) => {
        const startedAtMs = performance.now();
        const [from, to] = [iso(fromMs), iso(toMs)].map((at) => at.slice(0, SECOND));
        const filter = `PartitionKey ge '${from}' and PartitionKey le '${to}'`;
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

function segments(
  tables: Tables,
  day: string,
  resource: string | undefined,
  after: string,
  abortSignal: AbortSignal,
): AsyncGenerator<{ rowKey: string; records: AuditRecord[] }> {
  const filter = [
    `PartitionKey ge '${z.iso.date().parse(day)}' and PartitionKey lt '${day}U'`,
    `PartitionKey ge '${quoted(after.slice(0, SECOND))}' and RowKey gt '${quoted(after)}'`,
  ].join(' and ');
  return segmentsOf(tables, filter, resource, abortSignal);
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
    let text = '';
    for (let index = 0; typeof row[`records${index}`] === 'string'; index += 1)
      text += String(row[`records${index}`]);
    const records = text.split('\n').map((line) => JSON.parse(line) as AuditRecord);
    yield {
      rowKey,
      records: records.filter((record) => resource === undefined || isAbout(record, resource)),
    };
  }
}

/** OData: a quote inside a string is written twice. */
const quoted = (text: string) => text.replaceAll("'", "''");

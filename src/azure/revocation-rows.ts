/**
 * How table `state` holds revocations: a row for each scope in partition `revocation`, and the log of their changes in
 * partition `revocation-log`. `revocation-store.ts` writes both, and `revocation-reader.ts` reads them for exchanges.
 *
 * A row of the log is inserted under the next number, and only one writer gets a number. It holds the changed entries
 * whole, and it is what makes the change; the scopes' own rows are written after it. Whoever inserts the next row of
 * the log first completes what the last one changed. So at any time at most the last row of the log is not in the
 * scopes' rows yet.
 */
import * as z from 'zod';
import type { Revocation, Scope } from '../ports.ts';
import type { Entry } from '../revocation/entry.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { chunks, joined } from './chunks.ts';
import type { Tables } from './tables.ts';

export const ENTRIES = 'revocation';
export const LOG = 'revocation-log';

export interface Logged {
  readonly number: number;
  /** By scope key. */
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface ReadRevocations {
  readonly entries: ReadonlyMap<string, Revocation>;
  /** Whether the log had anything new, or all were loaded. */
  readonly isNew: boolean;
}

/** The row's key decides what is revoked. The scope is only written to the audit, so its kind alone is checked. */
const scope = z.looseObject({ kind: z.string() }).transform((value) => value as unknown as Scope);
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('not JSON');
    return z.NEVER;
  }
});
const instants = z.record(z.string(), z.number());

/** What exchanges need of a scope's row. */
export const seenShape = z.object({
  rowKey: z.string(),
  scope: json.pipe(scope),
  cutOffSeconds: z.coerce.number().int(),
  blocked: z.boolean(),
  receivedAtMs: z.coerce.number(),
  /** The number of the log's row that changed the entry last; rows from before there was a log have none. */
  change: z.coerce.number().default(0),
});
export const entryShape = z
  .object({
    scope: json.pipe(scope),
    cutOffSeconds: z.coerce.number(),
    blocked: z.boolean(),
    blocks: json.pipe(instants),
    liftedAtMs: z.coerce.number(),
    reason: z.string(),
    source: z.string(),
    receivedAtMs: z.coerce.number(),
    change: z.coerce.number().default(0),
  })
  .transform(({ change, ...entry }): { entry: Entry; change: number } => ({ entry, change }));
const loggedShape = json.pipe(
  z.array(
    z.tuple([
      z.string(),
      z.object({
        scope,
        cutOffSeconds: z.number(),
        blocked: z.boolean(),
        blocks: instants,
        liftedAtMs: z.number(),
        reason: z.string(),
        source: z.string(),
        receivedAtMs: z.number(),
      }),
    ]),
  ),
);

export function toEntryRow(key: string, entry: Entry, change: number) {
  return {
    partitionKey: ENTRIES,
    rowKey: key,
    scope: JSON.stringify(entry.scope),
    // A double holds whole seconds after the year 2038; the table's 32-bit integer does not.
    cutOffSeconds: { type: 'Double', value: entry.cutOffSeconds },
    blocked: entry.blocked,
    blocks: JSON.stringify(entry.blocks),
    liftedAtMs: { type: 'Double', value: entry.liftedAtMs },
    reason: entry.reason,
    source: entry.source,
    receivedAtMs: { type: 'Double', value: entry.receivedAtMs },
    change: { type: 'Double', value: change },
  };
}

export function toLogRow({ number, entries }: Logged) {
  const text = JSON.stringify([...entries]);
  return { partitionKey: LOG, rowKey: logKey(number), ...chunks('entries', text) };
}

/** Turned round, so that the newest row is the first of the partition. */
export const logKey = (number: number): string => String(Number.MAX_SAFE_INTEGER - number).padStart(16, '0');

/**
 * The rows of the log from this number on, the newest first.
 * @param most so many of the newest; absent: all
 * @throws UpstreamFailure, also for a row that cannot be read: to leave it out could grant what it forbids
 */
export function readLog(tables: Tables, from: number, most = Number.POSITIVE_INFINITY): Promise<Logged[]> {
  return call('tables', 'read revocation log', async (abortSignal) => {
    const table = await tables('state');
    const filter = `PartitionKey eq '${LOG}' and RowKey le '${logKey(from)}'`;
    const pages = table
      .listEntities<Record<string, unknown>>({ queryOptions: { filter }, abortSignal })
      .byPage(most < 1_000 ? { maxPageSize: most } : {});
    const found: Logged[] = [];
    for await (const page of pages) {
      for (const row of page) if (found.length < most) found.push(toLogged(row));
      if (found.length >= most) break;
    }
    return found;
  });
}

function toLogged(row: Readonly<Record<string, unknown>>): Logged {
  const number = Number.MAX_SAFE_INTEGER - Number(row['rowKey']);
  const entries = loggedShape.safeParse(joined('entries', row));
  if (!Number.isSafeInteger(number) || !entries.success)
    throw new UpstreamFailure('tables', 'a row of the revocation log cannot be read');
  return { number, entries: new Map(entries.data) };
}

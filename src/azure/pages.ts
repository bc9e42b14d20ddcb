/**
 * The rows that a query finds, a page at a time: a query of many pages may take minutes, so each page has a deadline
 * and attempts of its own, and one that failed is asked for again without those before it.
 */
import type { TableEntityQueryOptions } from '@azure/data-tables';
import type { TableName } from '../table-names.ts';
import { call } from './call.ts';
import type { Tables } from './tables.ts';

export type StoredRow = Readonly<Record<string, unknown>>;

/** The service works on one page for five seconds at most, and may then answer with one that is empty. */
const PAGE_DEADLINE_MS = 15_000;

/** Each page is one call of the table service. @throws UpstreamFailure, after which nothing more comes */
export async function* pagesOf(
  tables: Tables,
  table: TableName,
  what: string,
  queryOptions: TableEntityQueryOptions,
  maxPageSize?: number,
): AsyncGenerator<readonly StoredRow[]> {
  let from: { continuationToken?: string } = {};
  do {
    const page = await call(
      'tables',
      what,
      async (abortSignal) => {
        const client = await tables(table);
        const pages = client.listEntities<Record<string, unknown>>({ queryOptions, abortSignal });
        const size = maxPageSize === undefined ? {} : { maxPageSize };
        return (await pages.byPage({ ...from, ...size }).next()).value;
      },
      { deadlineMs: PAGE_DEADLINE_MS },
    );
    if (page === undefined) return;
    yield page;
    from = page.continuationToken === undefined ? {} : { continuationToken: page.continuationToken };
  } while (from.continuationToken !== undefined);
}

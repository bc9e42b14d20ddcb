/**
 * Delta queries of Microsoft Graph: what changed since a token, page by page.
 * https://learn.microsoft.com/graph/delta-query-overview
 */
import * as z from 'zod';

const deltaState = z.strictObject({
  /** The number of the newest change already shown. */
  since: z.number(),
  /** What the first request selected and filtered, which the links carry on. */
  query: z.record(z.string(), z.string()),
});
type DeltaState = z.infer<typeof deltaState>;

export interface DeltaItem {
  readonly changed: number;
  readonly body: object;
}
export interface DeltaSource {
  /** `users` or `groups`. */
  readonly collection: string;
  /** Graph's own address. */
  readonly url: string;
  /** The number of the newest change in the directory. */
  readonly newest: number;
  /** What changed after `since`, oldest first; `isFirst`: everything there is. */
  items(since: number, isFirst: boolean, query: Readonly<Record<string, string>>): readonly DeltaItem[];
}

/** One page, with a link to the next one or to what changes later; undefined: the token is none of ours. */
export function deltaPage(
  source: DeltaSource,
  search: URLSearchParams,
  pageSize: number,
): object | undefined {
  const token = search.get('$skiptoken') ?? search.get('$deltatoken');
  const isFirst = token === null;
  const state = isFirst || token === 'latest' ? first(search) : read(token);
  if (!state) return undefined;
  const items = token === 'latest' ? [] : source.items(state.since, isFirst, state.query);
  const shown = items.slice(0, pageSize);
  const isLast = shown.length === items.length;
  const since = isLast ? source.newest : (shown.at(-1)?.changed ?? source.newest);
  const next = Buffer.from(JSON.stringify({ since, query: state.query })).toString('base64url');
  const link = `${source.url}/v1.0/${source.collection}/delta?${isLast ? '$deltatoken' : '$skiptoken'}=${next}`;
  return {
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${source.collection}`,
    [isLast ? '@odata.deltaLink' : '@odata.nextLink']: link,
    value: shown.map(({ body }) => body),
  };
}

function first(search: URLSearchParams): DeltaState {
  const query = [...search].filter(([name]) => name === '$select' || name === '$filter');
  return { since: 0, query: Object.fromEntries(query) };
}

function read(token: string): DeltaState | undefined {
  try {
    return deltaState.safeParse(JSON.parse(Buffer.from(token, 'base64url').toString())).data;
  } catch {
    return undefined; // Not JSON: no token of ours.
  }
}

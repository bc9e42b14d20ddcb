/** How the requests of operators are read and answered: JSON as strict as the policy, lists in pages. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { parseStrictObject } from '../../strict-json.ts';
import { problem } from '../problem.ts';

/** The body is read as strictly as the policy. */
export const readObject = async (request: HttpRequest): Promise<Record<string, unknown> | 'unreadable'> =>
  parseStrictObject(await request.text());
export const NO_OBJECT = 'the body must be a JSON object with each member once';
export const hasMembers = (value: object): boolean => Object.keys(value).length > 0;

export const badRequest = (detail: string): HttpResponseInit => problem(400, 'Bad Request', detail);
export const json = (
  status: number,
  jsonBody: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit => ({
  status,
  headers: { 'cache-control': 'no-store', ...headers },
  jsonBody,
});

/** The query parameters of every list. */
export const PAGE = ['after', 'limit'] as const;
const MAX_LIMIT = 1_000;
const LIMIT = 100;

export interface Page {
  /** `next` of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}
/** @returns the page that is asked for, or what is wrong */
export function readPage({ query }: HttpRequest): Page | string {
  const asked = query.get('limit');
  const limit = asked === null ? LIMIT : Number(asked);
  if (asked === '' || !Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    return `limit must be a whole number from 1 to ${MAX_LIMIT}`;
  const after = query.get('after') ?? '';
  return { after: after === '' ? undefined : after, limit };
}

/** @param more what was found from `after` on, at least one more than the page holds where there are more */
export function pageOf<Item>(
  more: readonly Item[],
  limit: number,
  keyOf: (item: Item) => string,
): { items: readonly Item[]; next?: string } {
  const items = more.slice(0, limit);
  const last = items.at(-1);
  return more.length > limit && last !== undefined ? { items, next: keyOf(last) } : { items };
}

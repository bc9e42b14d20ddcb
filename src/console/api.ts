/** The operators' API as the views ask it. What goes wrong is a value, since a view has to show it. */
import type { Page } from './wire.ts';

/** What was not answered as asked, in words that can be shown. */
export interface Problem {
  readonly kind: 'problem';
  /** 0: no answer came. */
  readonly status: number;
  readonly detail: string;
  readonly correlationId?: string | undefined;
  /** Whose name it is, where a person was named: nothing was done by the name. */
  readonly found?: { readonly objectId: string; readonly enabled: boolean } | undefined;
  /** Of a policy: everything that is wrong with it. */
  readonly problems?: readonly string[] | undefined;
}
export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Api {
  /** @param path under `/operator/`, each part of it encoded by `pathOf` */
  get<Answer extends object>(path: string, query?: Query): Promise<Answer | Problem>;
  /** Every page of a list, up to `most` items; `more` says that there are further ones. */
  all<Item>(path: string, query?: Query, most?: number): Promise<All<Item> | Problem>;
  /** An act. It happens once, however often it has to be sent. */
  act<Answer extends object>(path: string, body: object): Promise<Answer | Problem>;
  /**
   * A question with a body, which changes nothing.
   * @param version of the policy that the question is about; such a question is a PUT, as a change would be
   */
  ask<Answer extends object>(path: string, body: object, version?: string): Promise<Answer | Problem>;
}
export interface All<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
}

export function isProblem(answer: object): answer is Problem {
  return 'kind' in answer && answer.kind === 'problem';
}

/** `pathOf('accounts', name, 'rotate')`: a name that came from outside stays one part of the path. */
export const pathOf = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('/');

/** The broker itself answers within ten seconds, or says why not. */
const TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;
const PAUSE_MS = 1_000;
const PAGE_ITEMS = 1_000;

export interface ApiWorld {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The token, or why there is none; another one than `refused`. */
  readonly token: (refused?: string) => Promise<string | Problem>;
  /** Told the `date` of each answer. */
  readonly heard: (date: string | null) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly newKey: () => string;
}

export function createApi(world: ApiWorld): Api {
  async function once(
    method: string,
    path: string,
    body?: object,
    headers?: Headers,
    refused?: string,
  ): Promise<object> {
    const token = await world.token(refused);
    if (typeof token !== 'string') return token;
    try {
      const answer = await world.fetch(`/operator/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        // The bearer token is all that says who asks: no cookie is sent or kept.
        credentials: 'omit',
        redirect: 'error',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
      });
      world.heard(answer.headers.get('date'));
      // The token may have ended on the way. One more is tried, not more.
      if (answer.status === 401 && refused === undefined) return once(method, path, body, headers, token);
      // What stands before the broker may refuse in its own words.
      const read: unknown = await (answer.ok ? answer.json() : answer.json().catch(() => ({})));
      if (typeof read !== 'object' || read === null) return problemOf(answer.status, {});
      return answer.ok ? read : problemOf(answer.status, read);
    } catch {
      return { kind: 'problem', status: 0, detail: 'The broker did not answer. It is asked again.' };
    }
  }
  /** What may be sent again is: it reads, or it has a key under which it happens once. */
  async function send(method: string, path: string, body?: object, headers?: Headers): Promise<object> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await once(method, path, body, headers);
      const isTransient = isProblem(answer) && (answer.status === 0 || answer.status >= 500);
      if (!isTransient || attempt === ATTEMPTS) return answer;
      await world.sleep(PAUSE_MS * attempt);
    }
  }
  const api: Api = {
    get: async <Answer extends object>(path: string, query: Query = {}) =>
      (await send('GET', `${path}${textOf(query)}`)) as Answer | Problem,
    async all<Item>(path: string, query: Query = {}, most = PAGE_ITEMS) {
      const items: Item[] = [];
      for (let after: string | undefined; ; ) {
        const limit = Math.min(PAGE_ITEMS, most - items.length);
        const page = await api.get<Page<Item>>(path, { ...query, limit, after });
        if (isProblem(page)) return page;
        items.push(...page.items);
        after = page.next;
        if (after === undefined || items.length >= most) return { items, more: after !== undefined };
      }
    },
    act: async <Answer extends object>(path: string, body: object) =>
      (await send('POST', path, body, { 'idempotency-key': world.newKey() })) as Answer | Problem,
    ask: async <Answer extends object>(path: string, body: object, version?: string) =>
      (await (version === undefined
        ? send('POST', path, body)
        : send('PUT', path, body, { 'if-match': `"${version}"` }))) as Answer | Problem,
  };
  return api;
}

type Headers = Readonly<Record<string, string>>;

function problemOf(status: number, body: object): Problem {
  const { detail, correlation_id: id, found, problems } = body as Readonly<Record<string, unknown>>;
  return {
    kind: 'problem',
    status,
    detail: typeof detail === 'string' ? detail : `The broker answers ${status}.`,
    ...(typeof id === 'string' && { correlationId: id }),
    ...(typeof found === 'object' && found !== null && { found: found as NonNullable<Problem['found']> }),
    ...(Array.isArray(problems) && { problems: problems.map(String) }),
  };
}

function textOf(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

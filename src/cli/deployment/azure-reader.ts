/** Reads Azure Resource Manager or Microsoft Graph, with the rights of whoever asks. It changes nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { CommandFailure } from '../failure.ts';
import type { World } from '../world.ts';
import type { Looked } from './check.ts';

export interface AzureReader {
  /** @param what for people, where it cannot be read: `the settings of broker-dev-issuer` */
  get<Shape extends z.ZodType>(what: string, path: string, shape: Shape): Promise<Looked<z.infer<Shape>>>;
  /** Every page of a list. */
  list<Shape extends z.ZodType>(
    what: string,
    path: string,
    item: Shape,
  ): Promise<Looked<readonly z.infer<Shape>[]>>;
  /** Some lists of Azure are a POST without a body. */
  post<Shape extends z.ZodType>(what: string, path: string, shape: Shape): Promise<Looked<z.infer<Shape>>>;
}
type Answer = { readonly status: number; readonly text: string; readonly retryAfter: string | null };

const TIMEOUT_MS = 30_000;
const ATTEMPTS = 3;
const MAX_PAUSE_MS = 20_000;
const MAX_PAGES = 100;

export function azureReader(
  { fetch, signal }: Pick<World, 'fetch' | 'signal'>,
  base: string,
  token: () => Promise<string>,
  pause: (ms: number) => Promise<void> = (ms) => sleep(ms, undefined, { signal }),
): AzureReader {
  async function once(method: string, url: string): Promise<Answer> {
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${await token()}`, accept: 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return {
      status: answer.status,
      text: await answer.text(),
      retryAfter: answer.headers.get('retry-after'),
    };
  }
  async function ask(method: string, url: string): Promise<Answer | string> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await once(method, url);
        const isPassing = answer.status === 429 || answer.status >= 500;
        if (!isPassing || attempt === ATTEMPTS) return answer;
        await pause(Math.min(MAX_PAUSE_MS, Number(answer.retryAfter ?? attempt) * 1_000 || 1_000));
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof CommandFailure) return error.message;
        if (attempt === ATTEMPTS) return 'does not answer';
        await pause(attempt * 1_000);
      }
    }
  }
  async function look<Shape extends z.ZodType>(
    method: string,
    what: string,
    url: string,
    shape: Shape,
  ): Promise<Looked<z.infer<Shape>>> {
    const answer = await ask(method, url);
    if (typeof answer === 'string') return { unseen: `${what}: ${answer}` };
    if (answer.status === 401 || answer.status === 403)
      return { unseen: `${what}: you may not read this (${answer.status})` };
    if (answer.status === 404) return { unseen: `${what}: not found (404)` };
    if (answer.status !== 200) return { unseen: `${what}: Azure answers ${answer.status}` };
    const parsed = shape.safeParse(jsonOf(answer.text));
    return parsed.success
      ? { seen: parsed.data }
      : { unseen: `${what}: the answer is not of the documented form` };
  }
  return {
    get: (what, path, shape) => look('GET', what, base + path, shape),
    post: (what, path, shape) => look('POST', what, base + path, shape),
    async list(what, path, item) {
      const page = z.object({
        value: z.array(item),
        nextLink: z.string().nullish(),
        '@odata.nextLink': z.string().nullish(),
      });
      const items: z.infer<typeof item>[] = [];
      let url: string = base + path;
      for (let pages = 0; pages < MAX_PAGES; pages += 1) {
        const looked: Looked<z.infer<typeof page>> = await look('GET', what, url, page);
        if ('unseen' in looked) return looked;
        items.push(...looked.seen.value);
        const next: string | null | undefined = looked.seen.nextLink ?? looked.seen['@odata.nextLink'];
        if (!next) return { seen: items };
        // The token goes only to where it is for.
        if (!next.startsWith(`${base}/`)) return { unseen: `${what}: the list goes on at another address` };
        url = next;
      }
      return { unseen: `${what}: the list has no end` };
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

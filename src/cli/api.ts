/** The operators' API as the commands ask it. */
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { CommandFailure } from './failure.ts';
import type { Part, Session } from './session.ts';
import type { World } from './world.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}
type Query = Readonly<Record<string, string | number | undefined>>;

export interface Api {
  /** @throws CommandFailure for every answer that is no success */
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  /** Every page of a list, one after the other. */
  all<Item>(path: string, query?: Query, most?: number): Promise<readonly Item[]>;
  /** Every page of an answer in lines, one after the other. */
  lines(path: string, query?: Query): AsyncIterable<string>;
  /** An act. It happens once, however often it has to be sent. */
  act<Answer>(path: string, body: object): Promise<Answer>;
  /** Puts a policy in force, or asks what that would change. Sent again, it changes nothing. */
  publish<Answer>(version: string, body: object, dryRun: boolean): Promise<Answer>;
  /** A question with a body. */
  ask<Answer>(path: string, body: object): Promise<Answer>;
}

/** The broker's own words for what it did not do. */
export class Refused extends CommandFailure {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>, part: Part) {
    const detail = typeof body['detail'] === 'string' ? body['detail'] : `the broker answers ${status}`;
    const kind =
      status === 401 || status === 403
        ? 'notAllowed'
        : status >= 500 || status === 429
          ? 'unreachable'
          : 'failed';
    super(kind, `The broker says: ${detail}`, nextStepOf(status, part));
    this.status = status;
    this.body = body;
  }
}

function nextStepOf(status: number, part: Part): string | undefined {
  if (status === 401 || status === 403)
    return `whoami tells who you are; this needs the app role ${ROLES[part]} (in the local mode: --as ${part}).`;
  if (status >= 500 || status === 429) return 'Try again; /health of the broker says what it waits for.';
  return undefined;
}

const ROLES: Readonly<Record<Part, string>> = {
  caller: 'Token.Exchange',
  auditor: 'Broker.Auditor',
  operator: 'Broker.Operator',
  publisher: 'Broker.Publisher',
};
/** The broker itself answers within ten seconds, or says why not. */
const TIMEOUT_MS = 60_000;
/** Of an act that got no answer. With its key it is carried out once. */
const ATTEMPTS = 3;

export function operatorApi(world: Pick<World, 'fetch' | 'signal'>, session: Session): Api {
  async function sendFor(
    part: Part,
    method: string,
    path: string,
    body?: object,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly text: string; readonly headers: Headers }> {
    const token = await session.token(part);
    let answer: Response;
    let text: string;
    try {
      answer = await world.fetch(`${session.broker}/operator/${path}`, {
        method,
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...extra,
        },
        ...(body !== undefined && { body: bodyOf(body, extra) }),
        signal: AbortSignal.any([world.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      text = await answer.text();
    } catch {
      if (world.signal.aborted) throw world.signal.reason;
      throw new CommandFailure(
        'unreachable',
        `The broker at ${session.broker} was not reached.`,
        `Is the address right, and is it up? curl ${session.broker}/health`,
      );
    }
    if (!answer.ok) throw new Refused(answer.status, objectOf(text) ?? {}, part);
    return { text, headers: answer.headers };
  }
  const noBroker = () =>
    new CommandFailure(
      'unreachable',
      `What answers at ${session.broker} is no broker.`,
      'Check the address.',
    );
  async function send(...asked: Parameters<typeof sendFor>): Promise<unknown> {
    const read = objectOf((await sendFor(...asked)).text);
    if (read === undefined) throw noBroker();
    return read;
  }
  const get = async <Answer>(path: string, query: Query = {}) =>
    (await send('auditor', 'GET', `${path}${queryOf(query)}`)) as Answer;
  return {
    get,
    async all<Item>(path: string, query: Query = {}, most = Number.POSITIVE_INFINITY) {
      const found: Item[] = [];
      for (let after: string | undefined; ; ) {
        const limit = Math.min(1_000, most - found.length);
        const page: Page<Item> = await get(path, { ...query, limit, after });
        found.push(...page.items);
        after = page.next;
        if (after === undefined || found.length >= most) return found;
      }
    },
    async *lines(path, query = {}) {
      for (let after: string | undefined; ; ) {
        const { text, headers } = await sendFor('auditor', 'GET', `${path}${queryOf({ ...query, after })}`);
        if (!headers.get('content-type')?.startsWith('application/jsonl')) throw noBroker();
        yield* text.split('\n').filter((line) => line !== '');
        const next = afterIn(headers.get('link'));
        if (next === undefined) return;
        // Else a broker that names the same page again would be asked for ever.
        if (after !== undefined && next <= after) throw noBroker();
        after = next;
      }
    },
    async act<Answer>(path: string, body: object) {
      const key = randomUUID();
      for (let attempt = 1; ; attempt += 1) {
        try {
          return (await send('operator', 'POST', path, body, { 'idempotency-key': key })) as Answer;
        } catch (error) {
          const mayBeDone = error instanceof CommandFailure && error.exitCode === 3;
          if (!mayBeDone || attempt === ATTEMPTS) throw error;
        }
      }
    },
    async publish<Answer>(version: string, body: object, dryRun: boolean) {
      const extra = { 'if-match': `"${version}"`, 'content-encoding': 'gzip' };
      const [part, path] = dryRun
        ? (['auditor', 'policy?dryRun'] as const)
        : (['publisher', 'policy'] as const);
      return (await send(part, 'PUT', path, body, extra)) as Answer;
    },
    ask: async <Answer>(path: string, body: object) => (await send('auditor', 'POST', path, body)) as Answer,
  };
}

/** Only where the next page begins: where it is asked for is not the answer's to say. */
function afterIn(link: string | null): string | undefined {
  const [, target = ''] = /^<([^>]+)>; rel="next"$/.exec(link ?? '') ?? [];
  return new URLSearchParams(target.split('?')[1]).get('after') ?? undefined;
}

const bodyOf = (body: object, { 'content-encoding': coding }: Readonly<Record<string, string>>) => {
  const text = JSON.stringify(body);
  return coding === 'gzip' ? new Uint8Array(gzipSync(text)) : text;
};

function queryOf(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

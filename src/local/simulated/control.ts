/** The control service: the hand of a person in the portal, or of bad luck. Local mode only. */
import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import type { Accounts } from './accounts.ts';
import type { Clocks, ProcessClocks } from './clocks.ts';
import { type Directory, userChange } from './directory.ts';
import type { EntraKeys, Members } from './entra-keys.ts';
import { type EventSender, graphEvent } from './events.ts';
import { type Faults, faultSchema, serviceNames } from './faults.ts';
import type { KeyVault } from './keyvault.ts';
import { listen, readBody, type Served } from './listen.ts';
import type { RequestEntry, RequestLog } from './requests.ts';

/** Virtual time, as the launcher keeps it: a change is answered when every process has it. */
export interface VirtualTime extends ProcessClocks {
  state(): { readonly now: string; readonly speed: number };
  advance(seconds: number): Promise<void>;
  setSpeed(speed: number): Promise<void>;
}

export interface ControlOptions {
  readonly port: number;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly events: EventSender;
  readonly accounts: Accounts;
  readonly vault: KeyVault;
  readonly directory: Directory;
  readonly keys: EntraKeys;
  readonly clock: VirtualTime;
  readonly clocks: Clocks;
  /** The claims of a good caller token. */
  goodClaims(): Members;
  /** Takes the broker's identity of this name its roles away, or gives them back. False: there is none. */
  setRoles(identity: string, assigned: boolean): boolean;
  /** Virtual time has moved: what waits for it is looked at. */
  onClock(): void;
  log(line: string): void;
}

/** What the caller did wrong, in words. */
class Wrong extends Error {}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Returns what is sent as JSON; undefined: 204. */
  run(name: string, body: string, query: URLSearchParams): unknown;
}

const MAX_OFFSET_MS = 86_400_000;
const after = z.coerce.number().int().min(0).default(0);
const members = z.record(z.string(), z.unknown());
const shapes = {
  clock: z
    .strictObject({
      advanceSeconds: z.number().min(0).max(3_200_000_000).optional(),
      /** The hour to jump to. */
      now: z.iso.datetime({ offset: true }).optional(),
      speed: z.number().gt(0).max(100_000).optional(),
    })
    .refine((change) => Object.keys(change).length > 0, 'nothing to change'),
  account: z.strictObject({
    newKeyLagMs: z.int().min(0).optional(),
    oldKeyLagMs: z.int().min(0).optional(),
    disableLocalAuth: z.boolean().optional(),
    tokensEndWithKey: z.boolean().optional(),
  }),
  regenerate: z.strictObject({ keyName: z.enum(['Key1', 'Key2']) }),
  secret: z.strictObject({ deleted: z.boolean() }),
  roles: z.strictObject({ assigned: z.boolean() }),
  /** A day is more than any clock is off, and keeps every date a date. */
  offset: z.strictObject({ offsetMs: z.int().min(-MAX_OFFSET_MS).max(MAX_OFFSET_MS) }),
  sign: z.strictObject({ header: members.default({}), claims: members.default({}) }),
  service: z.enum(serviceNames),
  asked: z.enum([...serviceNames, 'ai']).optional(),
};

export function serveControl(options: ControlOptions): Promise<Served> {
  const routes = createRoutes(options);
  return listen({
    port: options.port,
    tls: undefined,
    refuses: () => false,
    closing: new AbortController(),
    log: options.log,
    async onRequest(request, response) {
      const { status, body } = await answer(
        request.method ?? 'GET',
        request.url ?? '/',
        await readBody(request),
      );
      response.writeHead(status, body === undefined ? {} : { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    },
  });

  async function answer(
    method: string,
    target: string,
    text: string,
  ): Promise<{ status: number; body?: unknown }> {
    const url = new URL(target, 'http://control');
    const here = routes.filter((route) => route.path.test(url.pathname));
    const route = here.find((one) => one.method === method);
    if (!route) {
      const status = here.length > 0 ? 405 : 404;
      return { status, body: { error: STATUS_CODES[status] } };
    }
    try {
      const name = decoded(route.path.exec(url.pathname)?.[1] ?? '');
      const body = await route.run(name, text, url.searchParams);
      return body === undefined ? { status: 204 } : { status: 200, body };
    } catch (error) {
      if (error instanceof Wrong) return { status: 400, body: { error: error.message } };
      throw error;
    }
  }
}

function createRoutes(options: ControlOptions): readonly Route[] {
  const { faults, requests, events, accounts, vault, directory, keys, clock, clocks } = options;
  const account = (name: string, isThere = true) => {
    const found = accounts.find(name);
    if (!found || (isThere && found.deleted)) throw new Wrong(`there is no account '${name}'`);
    return found;
  };
  return [
    {
      method: 'GET',
      path: /^\/requests$/,
      run: (_, __, query) => ({
        requests: requests
          .after(
            check(after, query.get('after') ?? undefined),
            check(shapes.asked, query.get('service') ?? undefined),
          )
          .map(described),
        last: requests.last,
      }),
    },
    {
      method: 'PUT',
      path: /^\/faults\/([^/]+)$/,
      run(name, body) {
        const service = check(shapes.service, name);
        const fault = parse(faultSchema, body);
        if (fault.mode === 'stale' && service !== 'keyvault')
          throw new Wrong('mode: only reads of keyvault can be stale');
        faults.set(service, fault);
      },
    },
    {
      method: 'DELETE',
      path: /^\/faults\/([^/]+)$/,
      run: (name) => faults.clear(check(shapes.service, name)),
    },
    { method: 'DELETE', path: /^\/faults$/, run: () => faults.clear() },
    { method: 'GET', path: /^\/clock$/, run: () => clock.state() },
    {
      method: 'POST',
      path: /^\/clock$/,
      async run(_, body) {
        const { speed, advanceSeconds, now } = parse(shapes.clock, body);
        const aheadMs = now === undefined ? 0 : Date.parse(now) - Date.parse(clock.state().now);
        // An answer of GET, sent back, is a moment old.
        if (aheadMs < -60_000) throw new Wrong('now: virtual time goes forward only');
        if (speed !== undefined) await clock.setSpeed(speed);
        if (aheadMs > 0) await clock.advance(aheadMs / 1000);
        if (advanceSeconds !== undefined) await clock.advance(advanceSeconds);
        options.onClock();
      },
    },
    {
      method: 'PUT',
      path: /^\/accounts\/([^/]+)$/,
      run(name, body) {
        const { deleted } = account(name, false);
        const settings = given(parse(shapes.account, body === '' ? '{}' : body));
        if (deleted) accounts.createAgain(name);
        accounts.configure(name, settings);
      },
    },
    {
      method: 'POST',
      path: /^\/accounts\/([^/]+)\/regenerate$/,
      run: (name, body) =>
        accounts.regenerateByHand(account(name).name, parse(shapes.regenerate, body).keyName),
    },
    { method: 'DELETE', path: /^\/accounts\/([^/]+)$/, run: (name) => accounts.remove(account(name).name) },
    {
      method: 'PUT',
      path: /^\/secrets\/([^/]+)$/,
      run(name, body) {
        const { deleted } = parse(shapes.secret, body);
        if (!vault.setDeleted(name, deleted)) throw new Wrong(`there is no secret '${name}'`);
      },
    },
    {
      method: 'PUT',
      path: /^\/roles\/([^/]+)$/,
      run(name, body) {
        const { assigned } = parse(shapes.roles, body);
        if (!options.setRoles(name, assigned))
          throw new Wrong(`there is no identity '${name}'; there are issuer, rotator`);
      },
    },
    {
      method: 'PUT',
      path: /^\/clocks\/([^/]+)$/,
      async run(name, body) {
        const { offsetMs } = parse(shapes.offset, body);
        if (!(await clocks.setOffset(name, offsetMs)))
          throw new Wrong(`there is no clock '${name}'; there are ${clocks.names.join(', ')}`);
      },
    },
    {
      method: 'PUT',
      path: /^\/users\/([^/]+)$/,
      run(name, body) {
        const user = directory.user(name);
        if (!user) throw new Wrong(`there is no user '${name}'`);
        const groups = directory.changeUser(name, parse(userChange, body));
        const at = clocks.of('graph')();
        events.publish(graphEvent('User', user.objectId, user.tenantId, at));
        for (const id of groups) events.publish(graphEvent('Group', id, user.tenantId, at));
      },
    },
    { method: 'POST', path: /^\/entra\/rollover$/, run: () => keys.rollover() },
    {
      method: 'POST',
      path: /^\/entra\/sign$/,
      run(_, body) {
        const { header, claims } = parse(shapes.sign, body === '' ? '{}' : body);
        return { token: keys.sign(withoutNulls({ ...options.goodClaims(), ...claims }), header) };
      },
    },
    {
      method: 'GET',
      path: /^\/events$/,
      run: (_, __, query) => ({
        events: events.after(check(after, query.get('after') ?? undefined)),
        last: events.last,
      }),
    },
  ];
}

/** An instance is named by its URL too, percent-encoded. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Wrong(`'${part}' is not percent-encoded`);
  }
}

/** Every entry has every member, null where there is nothing to say. */
function described({ atMs, ...entry }: RequestEntry) {
  const { resource, by, keyFingerprint, fault } = entry;
  const said = { resource, by, keyFingerprint, fault };
  const members = Object.entries(said).map(([name, value]) => [name, value ?? null]);
  return { ...entry, at: new Date(atMs).toISOString(), ...Object.fromEntries(members) };
}

/** A claim given as null is one the token does not have (RFC 7396). */
function withoutNulls(claims: Members): Members {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

function parse<T>(schema: z.ZodType<T>, body: string): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Wrong('the body is not JSON');
  }
  return check(schema, value);
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Wrong(
    parsed.error.issues
      .map((issue) => (issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message))
      .join('; '),
  );
}

/** Without the members that were not given, so that merging them changes nothing. */
function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

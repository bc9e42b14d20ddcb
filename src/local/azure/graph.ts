/**
 * Microsoft Graph v1.0, as far as revocation asks it: users, their changes, their groups.
 * https://learn.microsoft.com/graph/api/user-delta
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Directory, User } from './directory.ts';
import type { VerifyAccessToken } from './entra-verify.ts';
import type { Call, Endpoint, Outcome } from './service.ts';

export interface GraphOptions {
  readonly directory: Directory;
  readonly verify: VerifyAccessToken;
  url(): string;
  readonly now: () => number;
}

const defaultPage = 100;
type GraphOperation = 'GetUser' | 'UsersDelta' | 'GetMemberObjects' | 'ListGroupMembers' | 'unknown';

export function createGraph(options: GraphOptions): Omit<Endpoint, 'port'> {
  const { directory } = options;

  function answer(call: Call, operation: GraphOperation): Outcome {
    const [, , , id = ''] = call.url.pathname.split('/').map(decodeURIComponent);
    switch (operation) {
      case 'GetUser': {
        const user = find(id);
        return user ? { status: 200, body: entity(user, select(call.url)) } : notFound(id);
      }
      case 'UsersDelta':
        return usersDelta(call);
      case 'GetMemberObjects': {
        const user = find(id);
        return user ? { status: 200, body: { value: user.groups } } : notFound(id);
      }
      case 'ListGroupMembers': {
        const members = home().filter((user) => user.groups.includes(id) && !user.deleted);
        const value = members.map((user) => ({ '@odata.type': '#microsoft.graph.user', id: user.objectId }));
        return { status: 200, body: { value } };
      }
      case 'unknown':
        return failure(400, 'BadRequest', 'Resource not found for the segment.');
    }
  }

  function home(): readonly User[] {
    return directory.users.filter((user) => user.tenantId === directory.homeTenantId);
  }

  function find(id: string): User | undefined {
    return home().find((user) => !user.deleted && (user.objectId === id || user.username === id));
  }

  function usersDelta(call: Call): Outcome {
    const { searchParams } = call.url;
    const given = searchParams.get('$skiptoken') ?? searchParams.get('$deltatoken');
    const state = given === null ? { since: 0, fields: select(call.url) } : readToken(given);
    const newest = Math.max(0, ...home().map((user) => user.changed));
    if (given === 'latest') {
      return { status: 200, body: page([], '@odata.deltaLink', { since: newest, fields: select(call.url) }) };
    }
    if (!state) return failure(410, 'syncStateNotFound', 'The sync state is not found; start over.');
    const size = Number(
      /odata\.maxpagesize=([1-9]\d*)/.exec(call.headers['prefer'] ?? '')?.[1] ?? defaultPage,
    );
    const changed = home()
      .filter((user) => user.changed > state.since && !(user.deleted && given === null))
      .sort((a, b) => a.changed - b.changed);
    const shown = changed.slice(0, size);
    const isLast = shown.length === changed.length;
    const since = isLast ? newest : (shown.at(-1)?.changed ?? newest);
    return {
      status: 200,
      body: page(
        shown.map((user) => (user.deleted ? removed(user) : entity(user, state.fields))),
        isLast ? '@odata.deltaLink' : '@odata.nextLink',
        { since, fields: state.fields },
      ),
    };
  }

  function page(value: object[], link: '@odata.deltaLink' | '@odata.nextLink', state: DeltaState): object {
    const token = Buffer.from(JSON.stringify(state)).toString('base64url');
    const parameter = link === '@odata.nextLink' ? '$skiptoken' : '$deltatoken';
    return {
      '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#users',
      [link]: `${options.url()}/v1.0/users/delta?${parameter}=${token}`,
      value,
    };
  }

  function failure(status: number, code: string, message: string): Outcome {
    const id = randomUUID();
    const innerError = {
      date: new Date(options.now()).toISOString().slice(0, 19),
      'request-id': id,
      'client-request-id': id,
    };
    return { status, headers: { 'request-id': id }, body: { error: { code, message, innerError } } };
  }

  function notFound(id: string): Outcome {
    const message = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`;
    return failure(404, 'Request_ResourceNotFound', message);
  }

  return {
    service: 'graph',
    operation: ({ method, url }) => operationOf(method, url.pathname),
    handle(call) {
      const [, token = ''] = /^bearer (.+)$/i.exec(call.headers['authorization'] ?? '') ?? [];
      const verified = options.verify(token, ['https://graph.microsoft.com']);
      if ('fault' in verified || verified.claims['tid'] !== directory.homeTenantId) {
        const message = token ? 'Access token validation failure.' : 'Access token is empty.';
        return failure(401, 'InvalidAuthenticationToken', message);
      }
      const { appid, azp, roles } = verified.claims;
      const by = String(appid ?? azp);
      const operation = operationOf(call.method, call.url.pathname);
      const needed = operation === 'ListGroupMembers' ? 'GroupMember.Read.All' : 'User.Read.All';
      if (!(Array.isArray(roles) && roles.includes(needed))) {
        const message = 'Insufficient privileges to complete the operation.';
        return { ...failure(403, 'Authorization_RequestDenied', message), by };
      }
      return { ...answer(call, operation), by, resource: call.url.pathname.split('/')[3] };
    },
  };
}

function operationOf(method: string, pathname: string): GraphOperation {
  const [, version, collection, id, rest, more] = pathname.split('/');
  if (version !== 'v1.0' || !id || more !== undefined) return 'unknown';
  const asked = `${method} ${collection} ${rest ?? ''}`.trim();
  if (asked === 'GET users') return id === 'delta' ? 'UsersDelta' : 'GetUser';
  if (asked === 'POST users getMemberObjects') return 'GetMemberObjects';
  return asked === 'GET groups members' ? 'ListGroupMembers' : 'unknown';
}

const deltaState = z.strictObject({ since: z.number(), fields: z.array(z.string()) });
type DeltaState = z.infer<typeof deltaState>;

function readToken(token: string): DeltaState | undefined {
  try {
    return deltaState.safeParse(JSON.parse(Buffer.from(token, 'base64url').toString())).data;
  } catch {
    return undefined; // No token of ours.
  }
}

function select(url: URL): string[] {
  const asked = url.searchParams.get('$select');
  return asked === null ? ['displayName', 'userPrincipalName'] : asked.split(',').map((one) => one.trim());
}

/** signInSessionsValidFromDateTime and accountEnabled come only when they are selected. */
function entity(user: User, fields: readonly string[]): object {
  const all: Readonly<Record<string, unknown>> = {
    displayName: user.displayName,
    userPrincipalName: user.username,
    accountEnabled: user.accountEnabled,
    signInSessionsValidFromDateTime: user.signInSessionsValidFromDateTime,
    deletedDateTime: null,
  };
  const chosen = fields.filter((field) => field in all).map((field) => [field, all[field]]);
  return { id: user.objectId, ...Object.fromEntries(chosen) };
}

function removed(user: User): object {
  return { id: user.objectId, '@removed': { reason: 'changed' } };
}

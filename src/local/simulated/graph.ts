/**
 * Microsoft Graph v1.0, as far as revocation asks it: users, groups, and what changed of them.
 * https://learn.microsoft.com/graph/api/user-delta, https://learn.microsoft.com/graph/api/group-delta
 */
import { randomUUID } from 'node:crypto';
import type { Directory, User } from './directory.ts';
import type { VerifyAccessToken } from './entra-verify.ts';
import { type DeltaItem, deltaPage } from './graph-delta.ts';
import type { Call, Endpoint, Outcome } from './service.ts';

export interface GraphOptions {
  readonly directory: Directory;
  readonly verify: VerifyAccessToken;
  /** Its own address, for the links in its answers. */
  url(): string;
  readonly now: () => number;
}

const defaultPageSize = 100;
type GraphOperation =
  | 'GetUser'
  | 'GetDeletedItem'
  | 'UsersDelta'
  | 'GroupsDelta'
  | 'GetMemberObjects'
  | 'unknown';

export function createGraph(options: GraphOptions): Omit<Endpoint, 'port'> {
  const { directory } = options;

  function answer(call: Call): Outcome {
    const [, , , id = '', itemId = ''] = call.url.pathname.split('/').map(decodeURIComponent);
    // Object ids and user principal names have no case.
    const isNamed = ({ objectId, username }: User) =>
      [objectId, username].some((name) => name.toLowerCase() === id.toLowerCase());
    const user = home().find((one) => !one.deleted && isNamed(one));
    switch (operationOf(call.method, call.url.pathname)) {
      case 'GetUser':
        return user
          ? { status: 200, body: entity(user, call.url.searchParams.get('$select')) }
          : notFound(id);
      case 'GetDeletedItem': {
        const item = home().find((one) => one.deleted && one.objectId === itemId.toLowerCase());
        return item
          ? { status: 200, body: deletedEntity(item, call.url.searchParams.get('$select')) }
          : notFound(itemId);
      }
      case 'GetMemberObjects':
        return user ? { status: 200, body: { value: user.groups } } : notFound(id);
      case 'UsersDelta':
        return delta(call, 'users', changedUsers);
      case 'GroupsDelta':
        return delta(call, 'groups', changedGroups);
      case 'unknown':
        return failure(400, 'BadRequest', 'Resource not found for the segment.');
    }
  }

  function home(): readonly User[] {
    return directory.users.filter((user) => user.tenantId === directory.homeTenantId);
  }

  function delta(call: Call, collection: string, items: typeof changedUsers): Outcome {
    const asked = /odata\.maxpagesize=([1-9]\d*)/.exec(call.headers['prefer'] ?? '')?.[1];
    const source = { collection, url: options.url(), newest: directory.changed, items };
    const page = deltaPage(source, call.url.searchParams, Number(asked ?? defaultPageSize));
    if (page) return { status: 200, body: page };
    return failure(410, 'syncStateNotFound', 'The sync state generation is not found; start over.');
  }

  function changedUsers(
    since: number,
    isFirst: boolean,
    query: Readonly<Record<string, string>>,
  ): readonly DeltaItem[] {
    return home()
      .filter((user) => user.changed > since && !(isFirst && user.deleted))
      .sort((a, b) => a.changed - b.changed)
      .map((user) => ({
        changed: user.changed,
        body: user.deleted
          ? { id: user.objectId, '@removed': { reason: 'changed' } }
          : entity(user, query['$select'] ?? null),
      }));
  }

  /** Groups show who joined and who left; the first answer shows all members of the named groups. */
  function changedGroups(
    since: number,
    isFirst: boolean,
    query: Readonly<Record<string, string>>,
  ): readonly DeltaItem[] {
    const named = [...(query['$filter'] ?? '').matchAll(/id eq '([^']+)'/g)].map(([, id]) => id);
    const isAsked = (id: string) => named.length === 0 || named.includes(id);
    if (isFirst) {
      const ids = new Set(home().flatMap((user) => user.groups.filter(isAsked)));
      return [...ids].map((id) => ({ changed: directory.changed, body: group(id, members(id)) }));
    }
    const later = directory.memberships.filter((one) => one.changed > since && isAsked(one.groupId));
    return later.map(({ changed, groupId, objectId, joined }) => ({
      changed,
      body: group(groupId, [joined ? { id: objectId } : { id: objectId, '@removed': { reason: 'deleted' } }]),
    }));
  }

  function members(groupId: string): readonly { id: string }[] {
    const inGroup = home().filter((user) => user.groups.includes(groupId) && !user.deleted);
    return inGroup.map(({ objectId }) => ({ id: objectId }));
  }

  function failure(status: number, code: string, message: string): Outcome {
    const id = randomUUID();
    const date = new Date(options.now()).toISOString().slice(0, 19);
    const innerError = { date, 'request-id': id, 'client-request-id': id };
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
      const needed = call.operation === 'GroupsDelta' ? 'GroupMember.Read.All' : 'User.Read.All';
      if (!(Array.isArray(roles) && roles.includes(needed))) {
        const message = 'Insufficient privileges to complete the operation.';
        return { ...failure(403, 'Authorization_RequestDenied', message), by };
      }
      return { ...answer(call), by, resource: call.url.pathname.split('/')[3] };
    },
  };
}

function operationOf(method: string, pathname: string): GraphOperation {
  const [, version, collection, id, rest, more] = pathname.split('/');
  if (version !== 'v1.0' || !id || more !== undefined) return 'unknown';
  if (method === 'GET' && collection === 'directory' && id === 'deletedItems' && rest)
    return 'GetDeletedItem';
  const asked = [method, collection, id === 'delta' ? id : '', rest ?? ''].filter(Boolean).join(' ');
  switch (asked) {
    case 'GET users':
      return 'GetUser';
    case 'GET users delta':
      return 'UsersDelta';
    case 'GET groups delta':
      return 'GroupsDelta';
    case 'POST users getMemberObjects':
      return 'GetMemberObjects';
    default:
      return 'unknown';
  }
}

/** Without $select the members that revocation wants are not in the answer. */
function entity(user: User, select: string | null): object {
  const all: Readonly<Record<string, unknown>> = {
    displayName: user.displayName,
    userPrincipalName: user.username,
    accountEnabled: user.accountEnabled,
    signInSessionsValidFromDateTime: user.signInSessionsValidFromDateTime,
  };
  const asked = select === null ? ['displayName', 'userPrincipalName'] : select.split(',');
  const chosen = asked.filter((name) => name in all).map((name) => [name, all[name]]);
  return { id: user.objectId, ...Object.fromEntries(chosen) };
}

/** https://learn.microsoft.com/graph/api/directory-deleteditems-get: its name is free for another user meanwhile. */
function deletedEntity(user: User, select: string | null): object {
  const userPrincipalName = `${user.objectId.replaceAll('-', '')}${user.username}`;
  return {
    '@odata.type': '#microsoft.graph.user',
    ...entity({ ...user, username: userPrincipalName }, select),
  };
}

function group(id: string, members: readonly object[]): object {
  const typed = members.map((member) => ({ '@odata.type': '#microsoft.graph.user', ...member }));
  return { id, 'members@delta': typed };
}

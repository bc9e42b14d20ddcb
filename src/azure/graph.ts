import * as z from 'zod';
import type { Directory, DirectoryChanges, GroupChange } from '../revocation/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { type Answer, errorCode, failed, fetchText, parseJson } from './fetch.ts';

/** https://learn.microsoft.com/graph/api/user-get: the answer has the last member only when it is selected. */
const USER_MEMBERS = 'id,accountEnabled,signInSessionsValidFromDateTime';
const user = z.object({
  id: z.string().min(1),
  accountEnabled: z.boolean(),
  signInSessionsValidFromDateTime: z.iso.datetime({ offset: true }).nullish(),
});

const deletedItem = z.object({ id: z.string().min(1) });

/** https://learn.microsoft.com/graph/delta-query-overview */
const removed = z.object({ reason: z.string().optional() }).optional();
const page = z.object({
  value: z.array(
    z.object({
      id: z.string().min(1),
      '@removed': removed,
      'members@delta': z.array(z.object({ id: z.string().min(1), '@removed': removed })).optional(),
    }),
  ),
  '@odata.nextLink': z.url().optional(),
  '@odata.deltaLink': z.url().optional(),
});

/** Microsoft Graph. Needs `User.Read.All`, and `GroupMember.Read.All` for the groups that the policy names. */
export function createDirectory(graphUrl: string, token: () => Promise<string>): Directory {
  /** @returns undefined when `isAbsent` is true of the answer */
  function get<Shape extends z.ZodType>(
    operation: string,
    path: string,
    shape: Shape,
    isAbsent: (answer: Answer) => boolean,
  ): Promise<z.infer<Shape> | undefined> {
    return call('graph', operation, async (signal) => {
      const headers = { authorization: `Bearer ${await token()}`, accept: 'application/json' };
      const answer = await fetchText('graph', `${graphUrl}/v1.0/${path}`, { headers, signal });
      if (isAbsent(answer)) return undefined;
      if (answer.status !== 200) throw failed('graph', answer);
      return parseJson('graph', answer.text, shape);
    });
  }

  /** Graph answers with whole URLs. Only their query is used, so that no answer can send the token to another host. */
  async function changes<Item>(
    collection: 'users' | 'groups',
    cursor: string,
    toItem: (item: z.infer<typeof page>['value'][number]) => Item,
  ): Promise<DirectoryChanges<Item> | 'expired'> {
    const answer = await get(`${collection} delta`, `${collection}/delta${cursor}`, page, isTooOld);
    if (answer === undefined) return 'expired';
    const link = answer['@odata.nextLink'] ?? answer['@odata.deltaLink'];
    if (link === undefined) throw new UpstreamFailure('graph', `${collection} delta: no link to go on`);
    const more = answer['@odata.nextLink'] !== undefined;
    return { items: answer.value.map(toItem), cursor: new URL(link).search, more };
  }

  return {
    async user(nameOrId) {
      const path = `users/${encodeURIComponent(nameOrId)}?$select=${USER_MEMBERS}`;
      const found = await get('user', path, user, isNobody);
      if (found === undefined) return 'absent';
      const validFrom = found.signInSessionsValidFromDateTime;
      return {
        objectId: found.id.toLowerCase(),
        enabled: found.accountEnabled,
        sessionsValidFromMs: validFrom ? Date.parse(validFrom) : undefined,
      };
    },
    /** https://learn.microsoft.com/graph/api/directory-deleteditems-get: for users it needs `User.Read.All` too. */
    async isDeleted(objectId) {
      const path = `directory/deletedItems/${encodeURIComponent(objectId)}?$select=id`;
      return (await get('deleted item', path, deletedItem, isNobody)) !== undefined;
    },
    userChanges: (cursor) => changes('users', cursor ?? '?$deltatoken=latest', ({ id }) => id.toLowerCase()),
    groupChanges: (cursor, groups) => changes('groups', cursor ?? firstGroups(groups), toGroupChange),
  };
}

const isTooOld = ({ status }: Answer): boolean => status === 410;
/** Needs Graph's error code: a 404 from something else, such as a proxy, must not revoke every user asked about. */
const isNobody = (answer: Answer): boolean =>
  answer.status === 404 && errorCode(answer) === 'Request_ResourceNotFound';

/** Graph takes at most 50 ids: https://learn.microsoft.com/graph/api/group-delta */
function firstGroups(groups: readonly string[]): string {
  const named = groups.slice(0, 50).map((id) => `id eq '${id}'`);
  return `?$select=members&$filter=${encodeURIComponent(named.join(' or '))}&$deltatoken=latest`;
}

function toGroupChange(item: z.infer<typeof page>['value'][number]): GroupChange {
  return {
    groupId: item.id.toLowerCase(),
    deleted: item['@removed'] !== undefined,
    removedMembers: (item['members@delta'] ?? [])
      .filter((member) => member['@removed'] !== undefined)
      .map(({ id }) => id.toLowerCase()),
  };
}

/**
 * Turns the state of users in Microsoft Graph into cut-offs. An event names one user, who is read again, because the
 * event only says "changed". A sweep reads all users who changed since the last sweep, because events may be lost or
 * late: Microsoft promises no latency and does not report lost events.
 */
import type { Policy } from '../../policy/schema.ts';
import type { Clock, Log } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { cutOffSeconds } from '../decision.ts';
import { type Change, KEEP_MS } from '../entry.ts';
import type { Directory, DirectoryUser, EventStore } from '../ports.ts';
import type { Revoke } from '../revoke.ts';

export interface ReviewDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly homeTenantId: string;
  readonly directory: Directory;
  readonly events: EventStore;
  readonly revoke: Revoke;
  readonly now: Clock;
  readonly log: Log;
}

export interface Review {
  user(objectId: string, receivedAtMs: number): Promise<void>;
  /** Cuts off the members who left a group of the policy and, when the group was deleted, the grants that name it. */
  groups(receivedAtMs: number): Promise<void>;
  /** Reviews all users and groups that changed since the last sweep. @returns how many users were read and revoked */
  sweep(): Promise<{ readonly read: number; readonly revoked: number }>;
}

const KEEP_CURSOR_MS = 366 * 86_400_000;
/** A sweep stops after so many pages and continues at the next tick from its cursor. */
const MAX_PAGES = 50;
const AT_ONCE = 8;

/**
 * The cut-off that follows from a user's state; undefined when all tokens that it would refuse have expired. A disabled
 * or deleted user is cut off now and not blocked, because Entra issues no new tokens until the user is enabled again.
 */
function userCutOff(user: DirectoryUser | 'absent', nowMs: number): number | undefined {
  if (user === 'absent' || !user.enabled) return cutOffSeconds(undefined, nowMs);
  const { sessionsValidFromMs } = user;
  if (sessionsValidFromMs === undefined || nowMs - sessionsValidFromMs > KEEP_MS) return undefined;
  return cutOffSeconds(sessionsValidFromMs, nowMs);
}

/** How many users whom Graph does not know, and did not delete lately, an instance revokes in an hour. */
const MAX_DOUBTS = 10;
const DOUBTS_SPAN_MS = 3_600_000;

function createDoubts(): (nowMs: number) => boolean {
  let takenAtMs: number[] = [];
  return (nowMs) => {
    takenAtMs = takenAtMs.filter((atMs) => nowMs - atMs < DOUBTS_SPAN_MS);
    return takenAtMs.length < MAX_DOUBTS && takenAtMs.push(nowMs) > 0;
  };
}

export function createReview(deps: ReviewDeps): Review {
  const { policy, homeTenantId, directory, events, revoke, now, log } = deps;
  const named = (condition: 'group' | 'objectId'): ReadonlySet<string> =>
    new Set(policy().grants.flatMap(({ callers }) => callers.flatMap((rule) => rule[condition] ?? [])));
  const isDoubtLeft = createDoubts();

  function userChange(
    objectId: string,
    user: DirectoryUser | 'absent',
    source: string,
    receivedAtMs: number,
  ): Change[] {
    const cutOff = userCutOff(user, now());
    if (cutOff === undefined) return [];
    const reason = user === 'absent' ? 'deleted' : user.enabled ? 'sessions revoked' : 'disabled';
    return [change(objectId, cutOff, reason, source, receivedAtMs)];
  }

  function change(
    objectId: string,
    cutOff: number,
    reason: string,
    source: string,
    receivedAtMs: number,
  ): Change {
    const scope = { kind: 'user' as const, tenantId: homeTenantId, objectId };
    return { scope, cutOffSeconds: cutOff, blockCause: undefined, reason, source, receivedAtMs };
  }

  /**
   * An event may name a user who never existed, and each entry makes the list longer that all instances load. A
   * deleted user is among Graph's deleted items. One who was purged from there cannot be told from an invented one,
   * and is revoked only `MAX_DOUBTS` times in an hour.
   */
  async function mayHaveBeenThere(objectId: string): Promise<boolean> {
    return named('objectId').has(objectId) || (await directory.isDeleted(objectId)) || isDoubtLeft(now());
  }

  /** Reads the changes from the stored cursor on. The next cursor is stored only after `use` is done with the page. */
  async function follow<Item>(
    name: string,
    next: (cursor: string | undefined) => ReturnType<Directory['userChanges' | 'groupChanges']>,
    use: (items: readonly Item[]) => Promise<void>,
  ): Promise<void> {
    let cursor = (await events.find('cursor', name))?.['cursor'];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const changes = await next(cursor);
      if (changes === 'expired') {
        // The changes since the cursor cannot be read any more, so they are missed. It starts again from now.
        log('directory_cursor_expired', { name });
        cursor = undefined;
        continue;
      }
      await use(changes.items as readonly Item[]);
      cursor = changes.cursor;
      await events.replace('cursor', name, { cursor }, now() + KEEP_CURSOR_MS);
      if (!changes.more) return;
    }
  }

  async function groups(receivedAtMs: number): Promise<void> {
    const groupIds = [...named('group')];
    if (groupIds.length === 0) return;
    const source = 'graph groups';
    await follow<{ groupId: string; deleted: boolean; removedMembers: readonly string[] }>(
      `groups ${sha256(groupIds.join()).slice(0, 16)}`,
      (cursor) => directory.groupChanges(cursor, groupIds),
      async (items) => {
        const cutOff = cutOffSeconds(undefined, now());
        const left = items.flatMap(({ removedMembers }) => removedMembers);
        const deleted = new Set(items.filter((item) => item.deleted).map(({ groupId }) => groupId));
        const grants = policy().grants.filter(({ callers }) =>
          callers.some(({ group }) => group !== undefined && deleted.has(group)),
        );
        await revoke([
          ...left.map((objectId) => change(objectId, cutOff, 'left a group', source, receivedAtMs)),
          ...grants.map(({ name }) => ({
            scope: { kind: 'grant' as const, name },
            cutOffSeconds: cutOff,
            blockCause: undefined,
            reason: 'its group was deleted',
            source,
            receivedAtMs,
          })),
        ]);
      },
    );
  }

  return {
    groups,
    user: async (objectId, receivedAtMs) => {
      const user = await directory.user(objectId);
      if (user === 'absent' && !(await mayHaveBeenThere(objectId))) {
        // If the user did exist, the next sweep revokes it, because Graph lists deleted users among the changes.
        log('directory_user_unknown', { objectId });
        return;
      }
      await revoke(userChange(objectId, user, 'graph event', receivedAtMs));
    },
    sweep: async () => {
      let read = 0;
      let revoked = 0;
      await follow<string>(
        'users',
        (cursor) => directory.userChanges(cursor),
        async (objectIds) => {
          const receivedAtMs = now();
          const distinct = [...new Set(objectIds)];
          for (let from = 0; from < distinct.length; from += AT_ONCE) {
            const some = distinct.slice(from, from + AT_ONCE);
            const changes = await Promise.all(
              some.map(async (id) => userChange(id, await directory.user(id), 'graph sweep', receivedAtMs)),
            );
            const wanted = changes.flat();
            await revoke(wanted);
            revoked += wanted.length;
          }
          read += distinct.length;
        },
      );
      await groups(now());
      if (read > 0) log('directory_sweep', { read, revoked });
      return { read, revoked };
    },
  };
}

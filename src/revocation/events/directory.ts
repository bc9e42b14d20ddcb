/**
 * What Microsoft Graph says of our users, turned into cut-offs: by the event that names one (which only says
 * "changed"), and by a sweep of everything that changed since the last one, because such events get lost, come
 * late (no latency is promised) and are not announced as missed.
 */
import type { Policy } from '../../policy/schema.ts';
import type { Clock, Log } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { cutOffSeconds } from '../decision.ts';
import { type Change, KEEP_MS } from '../entry.ts';
import type { Directory, DirectoryUser, EventStore } from '../ports.ts';
import type { Revoke } from '../revoke.ts';

export interface ReviewDeps {
  readonly policy: Policy;
  readonly homeTenantId: string;
  readonly directory: Directory;
  readonly events: EventStore;
  readonly revoke: Revoke;
  readonly now: Clock;
  readonly log: Log;
}

export interface Review {
  user(objectId: string, receivedAtMs: number): Promise<void>;
  /** Members taken out of a group of the policy must show a fresh token; so must all when it is deleted. */
  groups(receivedAtMs: number): Promise<void>;
  /** Everything that changed since the last sweep. Returns how much was read and revoked. */
  sweep(): Promise<{ readonly read: number; readonly revoked: number }>;
}

const KEEP_CURSOR_MS = 366 * 86_400_000;
/** A sweep goes on at the next tick after this many pages; what it has read stays read. */
const MAX_PAGES = 50;
const AT_ONCE = 8;

/**
 * The cut-off a user's state calls for; undefined when it voids no token that can still live.
 * Disabled or deleted: all issued until now. Entra issues no new ones, so enabling needs no lift.
 */
function userCutOff(user: DirectoryUser | 'absent', nowMs: number): number | undefined {
  if (user === 'absent' || !user.enabled) return cutOffSeconds(undefined, nowMs);
  const { sessionsValidFromMs } = user;
  if (sessionsValidFromMs === undefined || nowMs - sessionsValidFromMs > KEEP_MS) return undefined;
  return cutOffSeconds(sessionsValidFromMs, nowMs);
}

/** In an hour and process: so many users may be revoked of whom Graph knows neither that they are nor that they were. */
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
  const groupIds = [
    ...new Set(policy.grants.flatMap(({ callers }) => callers.flatMap(({ group }) => group ?? []))),
  ];
  const namedUsers = new Set(
    policy.grants.flatMap(({ callers }) => callers.flatMap(({ objectId }) => objectId ?? [])),
  );
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
   * An event may name anybody, also users that never were, and each entry lengthens the list that every exchange
   * hangs on. Who was deleted is among the deleted items; who was purged from there looks as if made up, and is
   * revoked while such doubts are few.
   */
  async function mayHaveBeenThere(objectId: string): Promise<boolean> {
    return namedUsers.has(objectId) || (await directory.isDeleted(objectId)) || isDoubtLeft(now());
  }

  /** Pages of changes from the kept cursor on; the cursor moves only after `use` has done its work. */
  async function follow<Item>(
    name: string,
    next: (cursor: string | undefined) => ReturnType<Directory['userChanges' | 'groupChanges']>,
    use: (items: readonly Item[]) => Promise<void>,
  ): Promise<void> {
    let cursor = (await events.find('cursor', name))?.['cursor'];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const changes = await next(cursor);
      if (changes === 'expired') {
        // What changed meanwhile is unknown: from now on, and say so.
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
    if (groupIds.length === 0) return;
    const source = 'graph groups';
    await follow<{ groupId: string; deleted: boolean; removedMembers: readonly string[] }>(
      `groups ${sha256(groupIds.join()).slice(0, 16)}`,
      (cursor) => directory.groupChanges(cursor, groupIds),
      async (items) => {
        const cutOff = cutOffSeconds(undefined, now());
        const left = items.flatMap(({ removedMembers }) => removedMembers);
        const deleted = new Set(items.filter((item) => item.deleted).map(({ groupId }) => groupId));
        const grants = policy.grants.filter(({ callers }) =>
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
        // The next sweep revokes this user if there was one: Graph itself names there whom it has lost.
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

/** The simulated Entra directory: who and what exists, and what of it a person may change. */
import { join } from 'node:path';
import * as z from 'zod';
import { loadJson, saveJson } from './durable.ts';

/** An app registration with its service principal. */
export interface Application {
  readonly name: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** Of its service principal. */
  readonly objectId: string;
  /** Absent: a public client, or one that shows client assertions. */
  readonly secret?: string;
  /** "Allow public client flows": a person may sign in through it without the secret that it has. */
  readonly allowsPublicFlows?: boolean;
  /** A page in a browser: it signs people in by redirect, and has no proof of its own. */
  readonly isSinglePage?: boolean;
  /** The principal id of the user-assigned identity whose tokens serve as its client assertions. */
  readonly federatedTo?: string;
  /** Its app roles at the broker's API. */
  readonly appRoles: readonly string[];
  /** Set where the service principal is a managed identity. */
  readonly managedIdentityId?: string;
  /** Set: an agent identity. It has no credential; the application of this client id, its blueprint, speaks for it. */
  readonly blueprintId?: string;
}

/** An app registration as an API: how it is named in a scope, and which tokens it takes. */
export interface Api {
  readonly clientId: string;
  readonly uris: readonly string[];
  /** `accessTokenAcceptedVersion` of its manifest. */
  readonly tokenVersion: 1 | 2;
  /** Callers' app roles and scopes are those of the broker. */
  readonly isBroker: boolean;
}

export interface ManagedIdentity {
  readonly name: string;
  readonly clientId: string;
  readonly principalId: string;
  readonly resourceId: string;
  readonly isSystemAssigned: boolean;
  readonly graphRoles: readonly string[];
}

export interface User {
  readonly name: string;
  readonly displayName: string;
  readonly tenantId: string;
  readonly objectId: string;
  readonly username: string;
  readonly password: string;
  readonly groups: readonly string[];
  /** Of the broker's API: the roles assigned, and the scopes consented to (default `Token.Exchange`). */
  readonly appRoles?: readonly string[];
  readonly scopes?: readonly string[];
  /** Conditional Access asks for a second factor when someone acts on behalf of this user. */
  readonly needsSecondFactor: boolean;
  readonly accountEnabled: boolean;
  readonly deleted: boolean;
  readonly signInSessionsValidFromDateTime: string;
  /** Rises with every change in the directory. */
  readonly changed: number;
}
/** A person joined or left a group. */
export interface MembershipChange {
  readonly groupId: string;
  readonly objectId: string;
  readonly joined: boolean;
  readonly changed: number;
}
export type UserSpec = Omit<
  User,
  'accountEnabled' | 'deleted' | 'signInSessionsValidFromDateTime' | 'changed'
>;

export const userChange = z.strictObject({
  accountEnabled: z.boolean().optional(),
  signInSessionsValidFromDateTime: z.iso.datetime({ offset: true }).optional(),
  /** Soft-deleted, as a person in the portal does it. */
  deleted: z.boolean().optional(),
  /** All the groups the user is in from now on. */
  groups: z.array(z.guid()).optional(),
});
export type UserChange = z.infer<typeof userChange>;

export interface DirectorySpec {
  readonly homeTenantId: string;
  readonly tenantIds: readonly string[];
  readonly applications: readonly Application[];
  readonly apis: readonly Api[];
  readonly identities: readonly ManagedIdentity[];
  readonly users: readonly UserSpec[];
}

export interface Directory extends Omit<DirectorySpec, 'users'> {
  readonly users: readonly User[];
  /** Oldest first, since the first start. */
  readonly memberships: readonly MembershipChange[];
  /** The newest change's number. */
  readonly changed: number;
  /** By its name in the demo set. */
  user(name: string): User | undefined;
  application(tenantId: string, clientId: string): Application | undefined;
  /** Returns the groups the user joined or left. @throws RangeError for an unknown name */
  changeUser(name: string, change: UserChange): readonly string[];
}

/** What of a user changes; the rest is the demo set's. */
const changing = z.strictObject({
  accountEnabled: z.boolean(),
  deleted: z.boolean(),
  signInSessionsValidFromDateTime: z.string(),
  groups: z.array(z.string()),
  changed: z.number(),
});
const saved = z.strictObject({
  users: z.record(z.string(), changing),
  memberships: z.array(
    z.strictObject({ groupId: z.string(), objectId: z.string(), joined: z.boolean(), changed: z.number() }),
  ),
});

export function createDirectory(spec: DirectorySpec, dataFolder: string): Directory {
  const path = join(dataFolder, 'users.json');
  const found = saved.parse(loadJson(path) ?? { users: {}, memberships: [] });
  const users = new Map<string, User>(
    spec.users.map((user, index) => [
      user.name,
      { ...untouched(index + 1), ...user, ...found.users[user.name] },
    ]),
  );
  const memberships: MembershipChange[] = found.memberships;
  let changed = Math.max(0, ...[...users.values()].map((user) => user.changed));

  // Of those whom nobody changed the next start takes everything from its own set, which may be another one.
  const touched = new Set(Object.keys(found.users));
  function save(): void {
    const entries = [...users.values()]
      .filter(({ name }) => touched.has(name))
      .map((user) => [user.name, z.object(changing.shape).parse(user)]);
    saveJson(path, { users: Object.fromEntries(entries), memberships });
  }
  return {
    ...spec,
    get users() {
      return [...users.values()];
    },
    get changed() {
      return changed;
    },
    memberships,
    user: (name) => users.get(name),
    application: (tenantId, clientId) =>
      spec.applications.find((app) => app.clientId === clientId && app.tenantId === tenantId),
    changeUser(name, change) {
      const before = users.get(name);
      if (!before) throw new RangeError(`there is no user '${name}'`);
      changed += 1;
      const user: User = {
        ...before,
        accountEnabled: change.accountEnabled ?? before.accountEnabled,
        deleted: change.deleted ?? before.deleted,
        signInSessionsValidFromDateTime:
          change.signInSessionsValidFromDateTime ?? before.signInSessionsValidFromDateTime,
        groups: change.groups ?? before.groups,
        changed,
      };
      const joined = user.groups.filter((id) => !before.groups.includes(id));
      const left = before.groups.filter((id) => !user.groups.includes(id));
      for (const groupId of [...joined, ...left]) {
        memberships.push({ groupId, objectId: user.objectId, joined: joined.includes(groupId), changed });
      }
      users.set(name, user);
      touched.add(name);
      save();
      return [...joined, ...left];
    },
  };
}

function untouched(changed: number) {
  return {
    accountEnabled: true,
    deleted: false,
    signInSessionsValidFromDateTime: '2026-01-01T00:00:00Z',
    changed,
  };
}

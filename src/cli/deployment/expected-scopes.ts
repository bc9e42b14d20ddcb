/** The ARM ids at which the roles of src/deployed-roles.ts are given in one deployment. */
import {
  DEPLOYED_ASSIGNMENTS,
  DEPLOYED_ROLES,
  type DeployedRole,
  type DeployedScope,
} from '../../deployed-roles.ts';
import type { AppName } from '../../settings.ts';
import type { Looked } from './check.ts';
import type { Evidence, StorageAccount } from './evidence.ts';
import type { Permissions } from './role-cover.ts';

export interface Expected {
  readonly role: DeployedRole;
  /** Of a built-in role. */
  readonly roleId: string | undefined;
  readonly permissions: Permissions;
  readonly scope: string;
}

/** The one account that is no host's. */
export function stateStorage({ apps, storage }: Evidence): StorageAccount | undefined {
  if ('unseen' in storage) return undefined;
  const hosts = Object.values(apps).map((app) => ('seen' in app ? app.seen.hostStorage : undefined));
  const rest = storage.seen.filter(({ name }) => !hosts.includes(name));
  return rest.length === 1 ? rest[0] : undefined;
}

/** `unseen` where a resource is not found: then what it says is missing would be that resource's fault. */
export function expectedOf(app: AppName, evidence: Evidence): Looked<readonly Expected[]> {
  const expected: Expected[] = [];
  for (const [identity, scope, role] of DEPLOYED_ASSIGNMENTS) {
    if (identity !== app) continue;
    const ids = idsOf(scope, evidence);
    if ('unseen' in ids) return ids;
    const permissions = DEPLOYED_ROLES[role];
    const roleId = 'id' in permissions ? permissions.id : undefined;
    expected.push(
      ...ids.seen.map((id) => ({ role, roleId, permissions: fitting(permissions, scope), scope: id })),
    );
  }
  return { seen: expected };
}

/** The rotator's role is for vaults and for accounts, and each half is of use at one of them. */
function fitting(permissions: Permissions, scope: DeployedScope): Permissions {
  return scope === 'account' ? { actions: permissions.actions, dataActions: [] } : permissions;
}

function idsOf(scope: DeployedScope, evidence: Evidence): Looked<readonly string[]> {
  const one = (id: string | undefined, what: string): Looked<readonly string[]> =>
    id === undefined ? { unseen: `${what} was not found in the resource group` } : { seen: [id] };
  if (scope === 'component') return one(evidence.components[0], 'Application Insights');
  if (scope === 'vault')
    return one('seen' in evidence.vaults ? evidence.vaults.seen[0]?.id : undefined, 'the vault');
  if (scope === 'account') return 'seen' in evidence.rotated ? evidence.rotated : { seen: [] };
  const [kind, name] = scope.split(':') as ['table' | 'queue' | 'container' | 'host', string];
  if (kind === 'host') {
    const app = evidence.apps[name as AppName];
    const accounts = 'seen' in evidence.storage ? evidence.storage.seen : [];
    const found = accounts.find((account) => 'seen' in app && account.name === app.seen.hostStorage);
    return one(found?.id, `the storage account of the host of ${name}`);
  }
  const below = {
    table: 'tableServices/default/tables',
    queue: 'queueServices/default/queues',
    container: 'blobServices/default/containers',
  };
  const state = stateStorage(evidence);
  return one(state && `${state.id}/${below[kind]}/${name}`, 'the storage account with the state');
}

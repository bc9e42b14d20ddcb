/** What the broker's two identities and the operator may do in vault and storage, in every simulated world. */
import { DEPLOYED_ASSIGNMENTS, type DeployedScope } from '../../deployed-roles.ts';
import { auditor, issuerIdentity, operator, resourceGroup, rotatorIdentity } from './demo-directory.ts';
import type { RoleAssignment } from './roles.ts';

export const vaultId = `${resourceGroup}/providers/Microsoft.KeyVault/vaults/kv-broker`;
/** The account of the broker's tables, queues and blobs. */
export const storageId = `${resourceGroup}/providers/Microsoft.Storage/storageAccounts/stbroker`;

/** The blobs of the hosts and the telemetry are not simulated; which AI accounts there are is the policy's matter. */
const held = DEPLOYED_ASSIGNMENTS.filter(
  ([, scope]) => scope === 'vault' || /^(table|queue|container):/.test(scope),
);

export const brokerRoles: readonly RoleAssignment[] = [
  // The operator is also who breaks things in the vault by hand: disables, deletes, edits tags.
  { principalId: operator.app.objectId, role: 'Key Vault Secrets Officer', scope: vaultId },
  // The auditor verifies the record without the broker, as infra/README.md says.
  { principalId: auditor.app.objectId, role: 'Storage Table Data Reader', scope: idOf('table:audit') },
  { principalId: auditor.app.objectId, role: 'Storage Table Data Reader', scope: idOf('table:usage') },
  { principalId: auditor.app.objectId, role: 'Storage Blob Data Reader', scope: idOf('container:proof') },
  ...held.map(([identity, scope, role]) => ({
    principalId: (identity === 'issuer' ? issuerIdentity : rotatorIdentity).principalId,
    role,
    scope: idOf(scope),
  })),
];

function idOf(scope: DeployedScope): string {
  const [kind, name = ''] = scope.split(':');
  if (kind === 'table') return `${storageId}/tableServices/default/tables/${name}`;
  if (kind === 'container') return `${storageId}/blobServices/default/containers/${name}`;
  return kind === 'queue' ? `${storageId}/queueServices/default/queues/${name}` : vaultId;
}

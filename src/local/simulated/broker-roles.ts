/**
 * What the broker's two identities and the operator may do in vault and storage, in every simulated world. It is what
 * infra/roles.bicep assigns, which test/local/simulated/broker-roles.test.ts compares line by line.
 */
import { auditor, issuerIdentity, operator, resourceGroup, rotatorIdentity } from './demo-directory.ts';
import type { Role, RoleAssignment } from './roles.ts';

export const vaultId = `${resourceGroup}/providers/Microsoft.KeyVault/vaults/kv-broker`;
/** The account of the broker's tables, queues and blobs. */
export const storageId = `${resourceGroup}/providers/Microsoft.Storage/storageAccounts/stbroker`;

type Identity = 'issuer' | 'rotator';
export type BrokerScope = `table:${string}` | `queue:${string}` | `container:${string}` | 'vault';

export const held: readonly (readonly [identity: Identity, scope: BrokerScope, role: Role])[] = [
  ['issuer', 'table:state', 'AI token broker row writer'],
  ['issuer', 'table:rotation', 'Storage Table Data Reader'],
  ['issuer', 'table:history', 'Storage Table Data Reader'],
  ['issuer', 'table:ledger', 'AI token broker row writer'],
  ['issuer', 'table:audit', 'AI token broker row appender'],
  ['issuer', 'table:demands', 'AI token broker row appender'],
  ['issuer', 'table:events', 'AI token broker row writer'],
  ['issuer', 'table:operations', 'AI token broker row appender'],
  ['issuer', 'table:policy', 'AI token broker row appender'],
  ['issuer', 'table:usage', 'Storage Table Data Reader'],
  ['rotator', 'table:state', 'AI token broker row keeper'],
  ['rotator', 'table:rotation', 'AI token broker row writer'],
  ['rotator', 'table:history', 'AI token broker row writer'],
  ['rotator', 'table:ledger', 'AI token broker row sweeper'],
  ['rotator', 'table:demands', 'AI token broker row settler'],
  ['rotator', 'table:events', 'AI token broker row keeper'],
  ['rotator', 'table:operations', 'AI token broker row sweeper'],
  ['rotator', 'table:policy', 'Storage Table Data Reader'],
  ['rotator', 'table:audit', 'AI token broker row sweeper'],
  ['rotator', 'table:usage', 'AI token broker row keeper'],
  ['issuer', 'queue:events', 'Storage Queue Data Message Sender'],
  ['issuer', 'queue:demands', 'Storage Queue Data Message Sender'],
  ['rotator', 'queue:events', 'AI token broker queue worker'],
  ['rotator', 'queue:demands', 'AI token broker queue worker'],
  ['rotator', 'queue:events-poison', 'Storage Queue Data Message Sender'],
  ['rotator', 'queue:demands-poison', 'Storage Queue Data Message Sender'],
  ['issuer', 'container:proof', 'Storage Blob Data Reader'],
  ['rotator', 'container:proof', 'AI token broker proof appender'],
  ['issuer', 'vault', 'AI token broker current secret reader'],
  ['rotator', 'vault', 'AI token broker rotator'],
];

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

function idOf(scope: BrokerScope): string {
  const [kind, name = ''] = scope.split(':');
  if (kind === 'table') return `${storageId}/tableServices/default/tables/${name}`;
  if (kind === 'container') return `${storageId}/blobServices/default/containers/${name}`;
  return kind === 'queue' ? `${storageId}/queueServices/default/queues/${name}` : vaultId;
}

/** Which app handles which type of event. infra/subscriptions.bicep delivers each type to its app. */

/** In force before it is acknowledged, so the issuer app does it in its webhook. */
export const REVOCATION_REQUESTED = 'AzureAiTokenBroker.RevocationRequested';

export const KEY_LEAKED = 'AzureAiTokenBroker.KeyLeaked';

/** Azure's own. */
export const AZURE_EVENTS = [
  'Microsoft.KeyVault.SecretNewVersionCreated',
  'Microsoft.KeyVault.SecretNearExpiry',
  'Microsoft.KeyVault.SecretExpired',
  'Microsoft.Resources.ResourceActionSuccess',
  'Microsoft.Resources.ResourceWriteSuccess',
  'Microsoft.Resources.ResourceDeleteSuccess',
  'Microsoft.Graph.UserUpdated',
  'Microsoft.Graph.UserDeleted',
  'Microsoft.Graph.GroupUpdated',
  'Microsoft.Graph.GroupDeleted',
] as const;
export type AzureEvent = (typeof AZURE_EVENTS)[number];

/** What needs the accounts, the vault or the directory. */
export const ROTATOR_EVENTS = [KEY_LEAKED, ...AZURE_EVENTS] as const;
export type RotatorEvent = (typeof ROTATOR_EVENTS)[number];

/** Decides what an event of Key Vault, Azure Resource Manager or Microsoft Graph makes the broker read again. Pure. */
import { asGuid } from '../../guid.ts';
import type { Policy } from '../../policy/schema.ts';
import { type Envelope, type Members, readMembers, text } from './envelope.ts';
import type { AzureEvent } from './event-types.ts';

/** What must be read again. The event's own statements about it are not used. */
export type Look =
  | { readonly at: 'resource'; readonly resource: string; readonly version: string | undefined }
  | { readonly at: 'expiringSecret'; readonly resource: string; readonly version: string }
  | { readonly at: 'user'; readonly objectId: string }
  | { readonly at: 'groups' }
  | { readonly at: 'nothing'; readonly why: string }
  | { readonly at: 'poison'; readonly why: string };

/** What decides whether an event is about something of ours. */
export interface Ours {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly homeTenantId: string;
  /** Undefined in the issuer app, which does not know it: there the rotator's own changes count as anybody's. */
  readonly rotatorClientId: string | undefined;
}

const nothing = (why: string): Look => ({ at: 'nothing', why });
const poison = (why: string): Look => ({ at: 'poison', why });

/** https://learn.microsoft.com/azure/event-grid/event-schema-key-vault */
function keyVaultLook(event: Envelope, { policy }: Ours): Look {
  const secret = text(event.data, 'ObjectName') ?? event.subject;
  if (secret === '') return poison('no secret is named');
  const resource = policy().resources.find((known) => known.secret?.toLowerCase() === secret.toLowerCase());
  if (resource === undefined) return nothing('a secret of no resource');
  const version = text(event.data, 'Version')?.toLowerCase();
  if (event.type.toLowerCase() === 'microsoft.keyvault.secretnewversioncreated')
    return { at: 'resource', resource: resource.name, version };
  // Without the version, a late or repeated event would look like a new one and would start another rotation.
  if (version === undefined) return poison('no version is named');
  return { at: 'expiringSecret', resource: resource.name, version };
}

/**
 * Somebody else regenerated a key, or changed or deleted the account. The event does not say which key it was.
 * Reading keys (`listKeys`, the portal's "Keys" page) sends an event of the same type, which is ignored.
 * https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
 */
function armLook(event: Envelope, { policy, rotatorClientId }: Ours): Look {
  const operation = text(event.data, 'operationName')?.toLowerCase();
  if (operation === undefined) return poison('no operationName');
  const relevant =
    operation === 'microsoft.cognitiveservices/accounts/regeneratekey/action' ||
    operation === 'microsoft.cognitiveservices/accounts/write' ||
    operation === 'microsoft.cognitiveservices/accounts/delete';
  // Only the end of the operation is returned, because the log would take the whole text for a key and redact it.
  if (!relevant) return nothing(`not about keys: ${operation.split('/').slice(-2).join('/').slice(0, 39)}`);
  const accountId = (text(event.data, 'resourceUri') ?? event.subject).toLowerCase();
  if (accountId === '') return poison('no account is named');
  const resource = policy().resources.find((known) => known.accountId.toLowerCase() === accountId);
  if (resource === undefined) return nothing('an account of no resource');
  const claims = readMembers(event.data.get('claims'));
  const client = claims && (text(claims, 'appid') ?? text(claims, 'azp'));
  if (client !== undefined && client.toLowerCase() === rotatorClientId?.toLowerCase())
    return nothing('our own rotation');
  return { at: 'resource', resource: resource.name, version: undefined };
}

/**
 * The event says that a user changed and not what changed, so the user is read again. `clientState` is not needed,
 * because nothing else that the sender says is used. `sequenceNumber` is not usable, because JSON.parse rounds it.
 * https://learn.microsoft.com/azure/event-grid/microsoft-entra-events
 */
function graphLook(event: Envelope, { homeTenantId }: Ours): Look {
  const tenantId = tenantOf(event.data);
  if (tenantId !== undefined && tenantId !== homeTenantId) return nothing('another tenant');
  if (/\.group(created|updated|deleted)$/i.test(event.type)) return { at: 'groups' };
  const about = readMembers(event.data.get('resourcedata'));
  const named = [
    about && text(about, 'id'),
    text(event.data, 'resource')?.split('/').at(-1),
    event.subject.split('/').at(-1),
  ];
  const objectId = named.map((id) => asGuid(id ?? '')).find((id) => id !== undefined);
  return objectId === undefined ? poison('no user is named') : { at: 'user', objectId };
}

function tenantOf(data: Members): string | undefined {
  const about = readMembers(data.get('resourcedata'));
  return (text(data, 'tenantId') ?? (about && text(about, 'organizationId')))?.toLowerCase();
}

/** By the type of the event. */
export const LOOKS: Readonly<Record<AzureEvent, (event: Envelope, ours: Ours) => Look>> = {
  'Microsoft.KeyVault.SecretNewVersionCreated': keyVaultLook,
  'Microsoft.KeyVault.SecretNearExpiry': keyVaultLook,
  'Microsoft.KeyVault.SecretExpired': keyVaultLook,
  'Microsoft.Resources.ResourceActionSuccess': armLook,
  'Microsoft.Resources.ResourceWriteSuccess': armLook,
  'Microsoft.Resources.ResourceDeleteSuccess': armLook,
  'Microsoft.Graph.UserUpdated': graphLook,
  'Microsoft.Graph.UserDeleted': graphLook,
  'Microsoft.Graph.GroupUpdated': graphLook,
  'Microsoft.Graph.GroupDeleted': graphLook,
};

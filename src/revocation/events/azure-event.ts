/** What an event of Key Vault, Azure Resource Manager or Microsoft Graph asks us to look at. Pure. */
import type { Policy } from '../../policy/schema.ts';
import { type Envelope, type Members, readMembers, text } from './envelope.ts';

/** Never what to believe, only what to read again. */
export type Look =
  | { readonly at: 'resource'; readonly resource: string; readonly version: string | undefined }
  | { readonly at: 'expiringSecret'; readonly resource: string; readonly version: string }
  | { readonly at: 'user'; readonly objectId: string }
  | { readonly at: 'groups' }
  | { readonly at: 'nothing'; readonly why: string }
  | { readonly at: 'poison'; readonly why: string };

const nothing = (why: string): Look => ({ at: 'nothing', why });
const poison = (why: string): Look => ({ at: 'poison', why });

/** https://learn.microsoft.com/azure/event-grid/event-schema-key-vault */
export function keyVaultLook(event: Envelope, policy: Policy): Look {
  const secret = text(event.data, 'ObjectName') ?? event.subject;
  if (secret === '') return poison('no secret is named');
  const resource = policy.resources.find((known) => known.secret?.toLowerCase() === secret.toLowerCase());
  if (resource === undefined) return nothing('a secret of no resource');
  const version = text(event.data, 'Version')?.toLowerCase();
  if (event.type.toLowerCase() === 'microsoft.keyvault.secretnewversioncreated')
    return { at: 'resource', resource: resource.name, version };
  // Without its version a late or repeated notice could not be told from a new one, and would rotate again.
  if (version === undefined) return poison('no version is named');
  return { at: 'expiringSecret', resource: resource.name, version };
}

/**
 * A key regenerated, or an account changed or deleted, past the broker. Which key it was the event does not
 * say. Reading keys (`listKeys`, the portal's "Keys" page) is the same event type and means nothing.
 * https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
 */
export function armLook(event: Envelope, policy: Policy, rotatorClientId: string): Look {
  const operation = text(event.data, 'operationName')?.toLowerCase();
  if (operation === undefined) return poison('no operationName');
  const relevant =
    operation === 'microsoft.cognitiveservices/accounts/regeneratekey/action' ||
    operation === 'microsoft.cognitiveservices/accounts/write' ||
    operation === 'microsoft.cognitiveservices/accounts/delete';
  // Only its end: the whole looks like a key to the log.
  if (!relevant) return nothing(`not about keys: ${operation.split('/').slice(-2).join('/').slice(0, 39)}`);
  const accountId = (text(event.data, 'resourceUri') ?? event.subject).toLowerCase();
  if (accountId === '') return poison('no account is named');
  const resource = policy.resources.find((known) => known.accountId.toLowerCase() === accountId);
  if (resource === undefined) return nothing('an account of no resource');
  const claims = readMembers(event.data.get('claims'));
  const client = claims && (text(claims, 'appid') ?? text(claims, 'azp'));
  if (client?.toLowerCase() === rotatorClientId.toLowerCase()) return nothing('our own rotation');
  return { at: 'resource', resource: resource.name, version: undefined };
}

const GUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/**
 * "User X changed", and never what about them: read the user again. `clientState` proves nothing here, since
 * nothing is believed; it is not read. Member `sequenceNumber` does not survive JSON.parse: not read either.
 * https://learn.microsoft.com/azure/event-grid/microsoft-entra-events
 */
export function graphLook(event: Envelope, homeTenantId: string): Look {
  const tenantId = tenantOf(event.data);
  if (tenantId !== undefined && tenantId !== homeTenantId) return nothing('another tenant');
  if (/\.group(created|updated|deleted)$/i.test(event.type)) return { at: 'groups' };
  const about = readMembers(event.data.get('resourcedata'));
  const named = [
    about && text(about, 'id'),
    text(event.data, 'resource')?.split('/').at(-1),
    event.subject.split('/').at(-1),
  ];
  const objectId = named.map((id) => id?.toLowerCase()).find((id) => id !== undefined && GUID.test(id));
  return objectId === undefined ? poison('no user is named') : { at: 'user', objectId };
}

function tenantOf(data: Members): string | undefined {
  const about = readMembers(data.get('resourcedata'));
  return (text(data, 'tenantId') ?? (about && text(about, 'organizationId')))?.toLowerCase();
}

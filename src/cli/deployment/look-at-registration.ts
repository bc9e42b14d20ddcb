/** The app registration in Entra, by Microsoft Graph. */
import type { AzureReader } from './azure-reader.ts';
import type { Looked } from './check.ts';
import type { Registration } from './evidence.ts';
import { application, federatedCredential } from './shapes.ts';

export async function lookAtRegistration(
  graph: AzureReader,
  clientId: string | undefined,
): Promise<Looked<Registration>> {
  if (clientId === undefined || !/^[0-9a-f-]{36}$/i.test(clientId))
    return { unseen: 'which app registration it is, is a setting that could not be read' };
  const path = `/v1.0/applications(appId='${clientId}')`;
  const members = 'id,api,appRoles,spa,web,publicClient,passwordCredentials,keyCredentials';
  const found = await graph.get('the app registration', `${path}?$select=${members}`, application);
  if ('unseen' in found) return found;
  const trusts = await graph.list(
    'whom the registration trusts',
    `${path}/federatedIdentityCredentials`,
    federatedCredential,
  );
  return { seen: { clientId, application: found.seen, trusts } };
}

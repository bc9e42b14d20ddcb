/**
 * What Azure Resource Manager tells Event Grid about an account, in the Event Grid schema.
 * https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
 * The event of a regenerated key does not say which key: the name travels in the request's body only.
 */
import { randomUUID } from 'node:crypto';

/** One event in the Event Grid schema. It is delivered as an array of one. */
export interface EventGridEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataVersion: string;
  readonly metadataVersion: '1';
}

/** Who did it. */
export interface Actor {
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly principalType: 'User' | 'ServicePrincipal';
}

/** A person in the Azure portal, whose app has this id in every tenant. */
export function personInPortal(tenantId: string): Actor {
  return {
    tenantId,
    clientId: 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c',
    objectId: '5b5b5b5b-1234-4abc-8def-0123456789ab',
    principalType: 'User',
  };
}

export type AccountOperation = 'listKeys' | 'regenerateKey' | 'write' | 'delete';

/** An account itself is written or deleted; what is done with one is an action of its own name. */
const eventTypes = {
  write: 'Microsoft.Resources.ResourceWriteSuccess',
  delete: 'Microsoft.Resources.ResourceDeleteSuccess',
  action: 'Microsoft.Resources.ResourceActionSuccess',
};
const methods = { write: 'PUT', delete: 'DELETE', action: 'POST' };

export function accountEvent(
  operation: AccountOperation,
  accountId: string,
  by: Actor,
  atMs: number,
): EventGridEvent {
  const kind = operation === 'write' || operation === 'delete' ? operation : 'action';
  const action = `Microsoft.CognitiveServices/accounts/${kind === 'action' ? `${operation}/action` : kind}`;
  const subscriptionId = accountId.split('/')[2] ?? '';
  const atSeconds = Math.floor(atMs / 1000);
  const path = kind === 'action' ? `${accountId}/${operation}` : accountId;
  return {
    subject: accountId,
    eventType: eventTypes[kind],
    eventTime: new Date(atMs).toISOString().replace('Z', '0000Z'),
    id: randomUUID(),
    data: {
      authorization: {
        scope: accountId,
        action,
        evidence: {
          role: by.principalType === 'User' ? 'Contributor' : 'AI token broker rotator',
          roleAssignmentScope: `/subscriptions/${subscriptionId}`,
          roleAssignmentId: '00000000000040008000000000000001',
          roleDefinitionId: '00000000000040008000000000000002',
          principalId: by.objectId.replaceAll('-', ''),
          principalType: by.principalType,
        },
      },
      claims: {
        aud: 'https://management.core.windows.net/',
        iss: `https://sts.windows.net/${by.tenantId}/`,
        iat: String(atSeconds - 60),
        nbf: String(atSeconds - 60),
        exp: String(atSeconds + 3600),
        appid: by.clientId,
        appidacr: '2',
        'http://schemas.microsoft.com/identity/claims/objectidentifier': by.objectId,
        'http://schemas.microsoft.com/identity/claims/tenantid': by.tenantId,
        ver: '1.0',
      },
      correlationId: randomUUID(),
      httpRequest: {
        clientRequestId: randomUUID(),
        clientIpAddress: '203.0.113.7',
        method: methods[kind],
        url: `https://management.azure.com${path}?api-version=2025-06-01`,
      },
      resourceProvider: 'Microsoft.CognitiveServices',
      resourceUri: accountId,
      operationName: action,
      status: 'Succeeded',
      subscriptionId,
      tenantId: by.tenantId,
    },
    dataVersion: '2',
    metadataVersion: '1',
    topic: `/subscriptions/${subscriptionId}`,
  };
}

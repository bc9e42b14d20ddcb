/**
 * The built-in roles that the deployment gives, and what each holds:
 * https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
 */
export interface Permissions {
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

export interface BuiltInRole extends Permissions {
  readonly id: string;
}

const STORAGE = 'Microsoft.Storage/storageAccounts';

export const BUILT_IN_ROLES: Readonly<Record<string, BuiltInRole>> = {
  storageBlobDataOwner: {
    id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    actions: [
      `${STORAGE}/blobServices/containers/*`,
      `${STORAGE}/blobServices/generateUserDelegationKey/action`,
    ],
    dataActions: [`${STORAGE}/blobServices/containers/blobs/*`],
  },
  storageBlobDataContributor: {
    id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
    actions: [
      `${STORAGE}/blobServices/containers/delete`,
      `${STORAGE}/blobServices/containers/read`,
      `${STORAGE}/blobServices/containers/write`,
      `${STORAGE}/blobServices/generateUserDelegationKey/action`,
    ],
    dataActions: [
      `${STORAGE}/blobServices/containers/blobs/delete`,
      `${STORAGE}/blobServices/containers/blobs/read`,
      `${STORAGE}/blobServices/containers/blobs/write`,
      `${STORAGE}/blobServices/containers/blobs/move/action`,
      `${STORAGE}/blobServices/containers/blobs/add/action`,
    ],
  },
  storageBlobDataReader: {
    id: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
    actions: [
      `${STORAGE}/blobServices/containers/read`,
      `${STORAGE}/blobServices/generateUserDelegationKey/action`,
    ],
    dataActions: [`${STORAGE}/blobServices/containers/blobs/read`],
  },
  storageTableDataReader: {
    id: '76199698-9eea-4c19-bc75-cec21354c6b6',
    actions: [`${STORAGE}/tableServices/tables/read`],
    dataActions: [`${STORAGE}/tableServices/tables/entities/read`],
  },
  storageQueueDataMessageSender: {
    id: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a',
    actions: [],
    dataActions: [`${STORAGE}/queueServices/queues/messages/add/action`],
  },
  monitoringMetricsPublisher: {
    id: '3913510d-42f4-4e42-8a64-420c390055eb',
    actions: [
      'Microsoft.Insights/Register/Action',
      'Microsoft.Support/*',
      'Microsoft.Resources/subscriptions/resourceGroups/read',
    ],
    dataActions: ['Microsoft.Insights/Metrics/Write', 'Microsoft.Insights/Telemetry/Write'],
  },
  eventGridDataSender: {
    id: 'd5a91429-5739-47e2-a06b-3470a27159e7',
    actions: [
      'Microsoft.Authorization/*/read',
      'Microsoft.EventGrid/topics/read',
      'Microsoft.EventGrid/domains/read',
      'Microsoft.EventGrid/partnerNamespaces/read',
      'Microsoft.Resources/subscriptions/resourceGroups/read',
      'Microsoft.EventGrid/namespaces/read',
    ],
    dataActions: ['Microsoft.EventGrid/events/send/action'],
  },
};

/**
 * What the deployment gives the identities of the two apps. The simulated Azure decides by it, the doctor compares a
 * deployment with it, and test/infra/roles.test.ts holds infra/roles.bicep and infra/role-definitions.bicep to it.
 */
import type { AppName } from './settings.ts';

const account = 'Microsoft.CognitiveServices/accounts';
const secrets = 'Microsoft.KeyVault/vaults/secrets';
const storage = 'Microsoft.Storage/storageAccounts';
const tables = `${storage}/tableServices/tables`;
const entities = `${tables}/entities`;
const queues = `${storage}/queueServices/queues`;
const messages = `${queues}/messages`;
const containers = `${storage}/blobServices/containers`;
const blobs = `${containers}/blobs`;
const delegation = `${storage}/blobServices/generateUserDelegationKey/action`;

export interface RolePermissions {
  /** Of a built-in role; the custom ones have another in every environment. */
  readonly id?: string;
  /** Through Azure Resource Manager. */
  readonly actions: readonly string[];
  /** At the service itself. */
  readonly dataActions: readonly string[];
}

/** Custom roles by their names without the environment, then the built-in ones. */
export const DEPLOYED_ROLES = {
  'AI token broker rotator': {
    actions: [`${account}/listKeys/action`, `${account}/regenerateKey/action`],
    dataActions: [
      `${secrets}/getSecret/action`,
      `${secrets}/setSecret/action`,
      `${secrets}/readMetadata/action`,
      `${secrets}/update/action`,
    ],
  },
  'AI token broker current secret reader': { actions: [], dataActions: [`${secrets}/getSecret/action`] },
  'AI token broker row appender': {
    actions: [],
    dataActions: [`${entities}/read`, `${entities}/add/action`],
  },
  'AI token broker row writer': {
    actions: [],
    dataActions: [`${entities}/read`, `${entities}/add/action`, `${entities}/update/action`],
  },
  'AI token broker row keeper': {
    actions: [],
    dataActions: [
      `${entities}/read`,
      `${entities}/add/action`,
      `${entities}/update/action`,
      `${entities}/delete`,
    ],
  },
  'AI token broker row settler': {
    actions: [],
    dataActions: [`${entities}/read`, `${entities}/update/action`, `${entities}/delete`],
  },
  'AI token broker row sweeper': { actions: [], dataActions: [`${entities}/read`, `${entities}/delete`] },
  'AI token broker queue worker': {
    actions: [`${queues}/read`],
    dataActions: [`${messages}/read`, `${messages}/write`, `${messages}/process/action`],
  },
  'AI token broker proof appender': { actions: [], dataActions: [`${blobs}/read`, `${blobs}/add/action`] },
  'Storage Blob Data Owner': {
    id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    actions: [`${containers}/*`, delegation],
    dataActions: [`${blobs}/*`],
  },
  'Storage Blob Data Reader': {
    id: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
    actions: [`${containers}/read`, delegation],
    dataActions: [`${blobs}/read`],
  },
  'Storage Table Data Reader': {
    id: '76199698-9eea-4c19-bc75-cec21354c6b6',
    actions: [`${tables}/read`],
    dataActions: [`${entities}/read`],
  },
  'Storage Queue Data Message Sender': {
    id: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a',
    actions: [],
    dataActions: [`${messages}/add/action`],
  },
  'Monitoring Metrics Publisher': {
    id: '3913510d-42f4-4e42-8a64-420c390055eb',
    actions: [
      'Microsoft.Insights/Register/Action',
      'Microsoft.Support/*',
      'Microsoft.Resources/subscriptions/resourceGroups/read',
    ],
    dataActions: ['Microsoft.Insights/Metrics/Write', 'Microsoft.Insights/Telemetry/Write'],
  },
} as const satisfies Readonly<Record<string, RolePermissions>>;

export type DeployedRole = keyof typeof DEPLOYED_ROLES;
/**
 * `table:`, `queue:` and `container:` of the storage account with the state; `host:`, the storage account of that app's
 * host; `account`, every AI account whose keys are rotated; `component`, Application Insights.
 */
export type DeployedScope =
  | `${'table' | 'queue' | 'container'}:${string}`
  | `host:${AppName}`
  | 'vault'
  | 'account'
  | 'component';

export const DEPLOYED_ASSIGNMENTS: readonly (readonly [
  identity: AppName,
  scope: DeployedScope,
  role: DeployedRole,
])[] = [
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
  ['issuer', 'host:issuer', 'Storage Blob Data Owner'],
  ['rotator', 'host:rotator', 'Storage Blob Data Owner'],
  ['issuer', 'component', 'Monitoring Metrics Publisher'],
  ['rotator', 'component', 'Monitoring Metrics Publisher'],
  ['rotator', 'account', 'AI token broker rotator'],
];

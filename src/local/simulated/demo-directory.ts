/** The people and programs of the demo set, at the first start. All ids are fixed and invented. */
import type { Api, Application, DirectorySpec, ManagedIdentity, UserSpec } from './directory.ts';

export const tenantId = '3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01';
export const otherTenantId = 'b81d7e40-2a6c-4f93-8d15-6c0e9f3a7b02';
export const brokerClientId = 'a4c1f7d2-9b3e-4e58-b0a6-2d7f81c93e10';
export const brokerUri = 'api://ai-token-broker';
/** The same API as a registration that still takes v1 tokens. */
export const brokerV1Uri = 'api://ai-token-broker-v1';
export const publicClientId = '6b8e1d35-4f7a-4c29-a3d8-0e5b92f4c711';
export const consoleClientId = '3a9d5e27-c1f8-4b60-9e74-52b0d8f6a418';
export const researchers = 'e2d94b07-6a1c-4d3f-8b75-19c0f8a6e420';

export const resourceGroup = '/subscriptions/5b0c7f3e-81d4-4a69-b2e7-c3f60d9a1e50/resourceGroups/rg-ai';
const identities = `${resourceGroup}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;

export const issuerIdentity: ManagedIdentity = {
  name: 'issuer',
  clientId: '0d5e3a91-7c2f-4b86-9f10-5a8b7e6d1c31',
  principalId: '41a7c0f6-2e9d-4d53-8c6b-b7d1e09f5a32',
  resourceId: `${identities}/id-broker-issuer`,
  isSystemAssigned: false,
  // For a signal that names a user by e-mail address.
  graphRoles: ['User.Read.All'],
};
export const rotatorIdentity: ManagedIdentity = {
  name: 'rotator',
  clientId: '9a62f8b4-0e7d-4315-a9c8-3f5d1b7e2c33',
  principalId: 'c7e4d109-5b8a-4f62-b1d3-60a9e8f7c434',
  resourceId: `${identities}/id-broker-rotator`,
  isSystemAssigned: false,
  graphRoles: ['User.Read.All', 'GroupMember.Read.All'],
};
/** One identity for two accounts. */
export const readerIdentity: ManagedIdentity = {
  name: 'reader',
  clientId: 'f18b5d7c-3a40-4e96-8d2f-a7c6b0e91d35',
  principalId: '28d0e6a3-c94f-4b71-95e8-7f1b3d5c0a36',
  resourceId: `${identities}/id-broker-reader`,
  isSystemAssigned: false,
  graphRoles: [],
};
export const systemIdentity: ManagedIdentity = {
  name: 'system',
  clientId: '7c3d9e15-b6f8-4a02-8e4d-d1a0c5f72b37',
  principalId: '5e91b7c8-0d3a-4f64-a2b9-4c8e6f1d7038',
  resourceId: `${resourceGroup}/providers/Microsoft.Web/sites/func-broker`,
  isSystemAssigned: true,
  graphRoles: [],
};

export const brokerApp: Application = {
  name: 'broker',
  tenantId,
  clientId: brokerClientId,
  objectId: '1b7f4e0a-d83c-4965-9a2e-f5c60d8b7e11',
  federatedTo: issuerIdentity.principalId,
  appRoles: [],
};

/** A caller as the description of the local mode shows it. */
export interface CallerDescription {
  readonly name: string;
  readonly kind: 'application' | 'user' | 'managed-identity' | 'agent';
  readonly tenantId: string;
  readonly clientId: string;
  /** Of an agent: its blueprint's. */
  readonly clientSecret?: string;
  /** Set: `clientId` is an agent identity of this blueprint. */
  readonly blueprintId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly objectId: string;
}
/** A caller with what Entra will say of it in its tokens. */
export interface DemoCaller extends CallerDescription {
  readonly rights: {
    readonly appRoles: readonly string[];
    readonly scopes: readonly string[];
    readonly groups: readonly string[];
  };
}

interface Caller {
  readonly kind: 'application' | 'managed-identity';
  readonly app: Application & { readonly secret: string };
}
/** @param rest replaces what the demo set's application callers have */
export const application = (
  name: string,
  clientId: string,
  objectId: string,
  rest: Partial<Application> = {},
  kind: Caller['kind'] = 'application',
): Caller => ({
  kind,
  // Nothing outside this machine's loopback knows it.
  app: { name, tenantId, clientId, objectId, secret: `local-${name}`, appRoles: ['Token.Exchange'], ...rest },
});

const captions = application(
  'captions',
  'd2a8c5e1-7f04-4b39-86d1-e9b3a0c74f51',
  '84f1b6d9-3c7e-4a25-b0e8-1d5f92a7c652',
);
/** Whose token is the good one that hostile tokens are made from. */
export const goodCaller: Application = captions.app;

/** The operators of the broker, in every simulated world. */
export const operator = application(
  'operator',
  'e7d3f902-8b1c-4a56-b4e7-5c0d9a6f2857',
  '96a0c8e5-1f4d-4372-8b9e-d7f3e5b10c58',
  { appRoles: ['Broker.Operator'] },
);
export const auditor = application(
  'auditor',
  '4b9c1e76-d0a3-4f85-97b2-6e1f8c3d5059',
  'f05d2b94-7e6a-4c18-a1d7-8c9b3e4f6060',
  { appRoles: ['Broker.Auditor'] },
);
/** The identity of a pipeline that puts policies in force. */
export const publisher = application(
  'publisher',
  '7fc9409e-ccca-4f19-8c08-afd010425272',
  '4f03a060-b7eb-4329-82dc-b327f2c989b1',
  { appRoles: ['Broker.Publisher'] },
);
/** Of a tenant that the policy does not name: it may do nothing. */
export const outsider = application(
  'outsider',
  '8e2f6d0b-5c94-4a71-b3e6-0f7a9d1c4861',
  '6c4a9f13-e8b7-4d50-92c1-a5e0d7f38b62',
  { tenantId: otherTenantId },
);

const applications: readonly Caller[] = [
  captions,
  application('translations', '5f7e0b3c-a1d9-4682-9c4e-8b2d6f10a753', 'a93c5e82-6d0f-4b17-8e5a-c4b7f1d09e54'),
  application(
    'nightly',
    'c0b6e4f8-2d5a-4917-a3c0-7e8f1d9b6455',
    '3e8d7a10-f5c2-4b69-9d34-b0a6c1e87f56',
    { managedIdentityId: `${identities}/id-nightly` },
    'managed-identity',
  ),
  operator,
  auditor,
  publisher,
  outsider,
];

const user = (
  name: string,
  displayName: string,
  objectId: string,
  rest: Partial<UserSpec> = {},
): UserSpec => ({
  name,
  displayName,
  tenantId,
  objectId,
  username: `${name}@example.test`,
  password: `local-${name}`,
  groups: [researchers],
  needsSecondFactor: false,
  ...rest,
});
const ada = user('ada', 'Ada Lovelace', '70c5d8e3-9a1b-4f26-8d47-e3b0f6a9c163');
export const users: readonly UserSpec[] = [
  ada,
  /** Conditional Access stops whoever acts on her behalf. */
  user('grace', 'Grace Hopper', 'b4e17f09-2c8d-4a53-96e0-d5f8a1b7c364', { needsSecondFactor: true }),
  /** In more groups than fit into a token. */
  user('hedy', 'Hedy Lamarr', '1d9f6b82-e4c0-4735-a8d9-7b5c3e0f1465', {
    groups: [
      researchers,
      ...Array.from({ length: 200 }, (_, n) => `5c6f0b1e-0000-4000-8000-${String(n).padStart(12, '0')}`),
    ],
  }),
];

/** Who may open the console, in every simulated world. Roles go to people as to programs. */
const openedBy = (name: string, displayName: string, objectId: string, role: string): UserSpec =>
  user(name, displayName, objectId, { groups: [], appRoles: [role] });
export const people: readonly UserSpec[] = [
  openedBy('operator', 'Olive Operator', '8c1e4f7a-2d95-4b03-a6e8-1f0b9c3d5a72', 'Broker.Operator'),
  openedBy('auditor', 'Audrey Auditor', '5b7d0e93-f4a1-4c68-8d2e-9a6c1f0b3e74', 'Broker.Auditor'),
];
/** The console, in every simulated world. */
export const consoleApp: Application = {
  name: 'console',
  tenantId,
  clientId: consoleClientId,
  objectId: 'd06b3c9e-7a52-4f81-b4d9-e8f10a2c6b35',
  appRoles: [],
  isSinglePage: true,
};

const publicClient: Application = {
  name: 'terminal',
  tenantId,
  clientId: publicClientId,
  objectId: '2f8c7a5d-b310-4e96-8d0f-6a1e9b4c7d12',
  appRoles: [],
};
const api = (clientId: string, uris: readonly string[], tokenVersion: 1 | 2): Api => ({
  clientId,
  uris,
  tokenVersion,
  isBroker: true,
});

export const apis: readonly Api[] = [
  api(brokerClientId, [brokerUri, `api://${brokerClientId}`], 2),
  // One registration cannot take both versions in Azure; here a second name stands for the other setting.
  api(brokerClientId, [brokerV1Uri], 1),
];

export const directory: DirectorySpec = {
  homeTenantId: tenantId,
  tenantIds: [tenantId, otherTenantId],
  applications: [brokerApp, publicClient, consoleApp, ...applications.map(({ app }) => app)],
  apis,
  identities: [systemIdentity, issuerIdentity, rotatorIdentity, readerIdentity],
  users: [...users, ...people],
};

/** A caller that signs in with a secret. */
export const applicationCaller = ({ kind, app }: Caller): DemoCaller => ({
  name: app.name,
  kind,
  tenantId: app.tenantId,
  clientId: app.clientId,
  clientSecret: app.secret,
  objectId: app.objectId,
  rights: { appRoles: app.appRoles, scopes: [], groups: [] },
});

export const callers: readonly DemoCaller[] = [
  ...applications.map(applicationCaller),
  {
    name: ada.name,
    kind: 'user',
    tenantId,
    clientId: publicClientId,
    username: ada.username,
    password: ada.password,
    objectId: ada.objectId,
    rights: { appRoles: [], scopes: ['Token.Exchange'], groups: ada.groups },
  },
];

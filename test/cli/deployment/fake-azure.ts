/**
 * Azure Resource Manager and Microsoft Graph as their references describe the answers, for one sound deployment. A test
 * changes the answers of one path, and so plants what the doctor must find.
 */
import { DEPLOYED_ALERTS, DEPLOYED_FUNCTIONS } from '../../../src/deployed-names.ts';
import { DEPLOYED_ASSIGNMENTS, DEPLOYED_ROLES, type DeployedScope } from '../../../src/deployed-roles.ts';
import type { AppName } from '../../../src/settings.ts';

export const ARM = 'https://management.azure.com';
export const GRAPH = 'https://graph.microsoft.com';
export const NOW = Date.parse('2026-11-27T12:00:00Z');
const guid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
export const SUBSCRIPTION = guid(1);
const CLIENT = guid(5);
const TENANT = guid(3);
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-broker-dev`;
const of = (type: string, name: string): string => `${GROUP}/providers/${type}/${name}`;
/** What the planted secrets of settings are: the doctor must never print one. */
export const SECRET = 'AccountKey=bm90LWEta2V5LWJ1dC1tdXN0LW5ldmVyLWJlLXNhaWQ=';

export const ids = {
  site: (app: AppName) => of('Microsoft.Web/sites', `broker-dev-${app}-abc123`),
  identity: (app: AppName) => of('Microsoft.ManagedIdentity/userAssignedIdentities', `broker-dev-${app}-app`),
  state: of('Microsoft.Storage/storageAccounts', 'brkdevabc'),
  host: (app: AppName) =>
    of('Microsoft.Storage/storageAccounts', app === 'issuer' ? 'brkidevabc' : 'brkrdevabc'),
  vault: of('Microsoft.KeyVault/vaults', 'brk-dev-abc'),
  component: of('Microsoft.Insights/components', 'broker-dev-insights'),
  topic: of('Microsoft.EventGrid/topics', 'broker-dev-abc123'),
  vaultTopic: of('Microsoft.EventGrid/systemTopics', 'broker-dev-vault'),
  account: `/subscriptions/${guid(2)}/resourceGroups/rg-ai-dev/providers/Microsoft.CognitiveServices/accounts/contoso-dev-speech`,
  principal: (app: AppName) => guid(app === 'issuer' ? 10 : 11),
  client: (app: AppName) => guid(app === 'issuer' ? 12 : 13),
  application: `/v1.0/applications(appId='${CLIENT}')`,
} as const;
export const APPS = ['issuer', 'rotator'] as const;
export const paths = {
  settings: (app: AppName) => `${ids.site(app)}/config/appsettings/list`,
  functions: (app: AppName) => `${ids.site(app)}/functions`,
  deployments: (app: AppName) => `${ids.site(app)}/deployments`,
  assignments: (app: AppName, subscription = SUBSCRIPTION) =>
    `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleAssignments ${ids.principal(app)}`,
  logAlerts: `${GROUP}/providers/Microsoft.Insights/scheduledQueryRules`,
  metricAlerts: `${GROUP}/providers/Microsoft.Insights/metricAlerts`,
  resources: `${GROUP}/resources`,
} as const;
/** Where infra/policy.dev.json has the AI accounts. */
export const ACCOUNT_SUBSCRIPTION = guid(2);

/** Any JSON; a number is the status of an answer that is none. */
export type Answers = Map<string, unknown>;

export function soundDeployment(): Answers {
  const answers: Answers = new Map();
  const list = (path: string, value: readonly unknown[]) => answers.set(path, { value });
  const tags = { 'azd-env-name': 'dev' };
  const resource = (id: string, more: object = tags) => {
    const [type = '', name = ''] = (id.split('/providers/')[1] ?? '').split(/\/(?=[^/]+$)/);
    return { id, name, type, location: 'westeurope', tags: more };
  };
  list(paths.resources, [
    ...APPS.map((app) => resource(ids.site(app), { ...tags, 'azd-service-name': app })),
    ...[ids.state, ids.host('issuer'), ids.host('rotator'), ids.vault].map((id) => resource(id)),
    ...[ids.component, ids.topic, ids.vaultTopic].map((id) => resource(id)),
  ]);
  for (const app of APPS) {
    answers.set(ids.site(app), siteOf(app));
    answers.set(paths.settings(app), { properties: settingsOf(app) });
    list(
      paths.functions(app),
      Object.keys(DEPLOYED_FUNCTIONS[app]).map((name) => ({
        id: `${ids.site(app)}/functions/${name}`,
        name: `${app}/${name}`,
        type: 'Microsoft.Web/sites/functions',
        properties: { name, isDisabled: false, language: 'node' },
      })),
    );
    list(paths.deployments(app), [
      { properties: { status: 4, active: true, end_time: `2026-11-20T10:0${app.length - 5}:00Z` } },
      { properties: { status: 4, active: false, end_time: '2026-11-01T10:00:00Z' } },
    ]);
  }
  for (const id of [ids.state, ids.host('issuer'), ids.host('rotator')])
    answers.set(id, {
      ...resource(id),
      properties: {
        allowSharedKeyAccess: false,
        supportsHttpsTrafficOnly: true,
        allowBlobPublicAccess: false,
        publicNetworkAccess: 'Enabled',
        networkAcls: { defaultAction: 'Allow', bypass: 'AzureServices' },
      },
    });
  answers.set(ids.vault, {
    ...resource(ids.vault),
    properties: {
      enableRbacAuthorization: true,
      enablePurgeProtection: true,
      publicNetworkAccess: 'Enabled',
    },
  });
  addRoles(answers);
  addEvents(answers);
  list(
    paths.logAlerts,
    DEPLOYED_ALERTS.map((name) => ({ name: `broker-dev-${name}`, properties: { enabled: true } })),
  );
  list(
    paths.metricAlerts,
    ['health', 'dead-letters-broker-dev-abc123', 'dead-letters-broker-dev-vault'].map((name) => ({
      name: `broker-dev-${name}`,
      properties: { enabled: true },
    })),
  );
  answers.set(ids.application, {
    id: guid(20),
    api: { requestedAccessTokenVersion: 2 },
    appRoles: ['Token.Exchange', 'Broker.User', 'Broker.Operator', 'Broker.Auditor', 'Broker.Publisher'].map(
      (value) => ({ value, isEnabled: true }),
    ),
    spa: { redirectUris: ['https://broker.example.com/console'] },
    web: { redirectUris: [] },
    publicClient: { redirectUris: [] },
    passwordCredentials: [],
    keyCredentials: [],
  });
  list(`${ids.application}/federatedIdentityCredentials`, [
    {
      name: 'issuer',
      issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
      subject: ids.principal('issuer'),
      audiences: ['api://AzureADTokenExchange'],
    },
  ]);
  return answers;
}

function siteOf(app: AppName) {
  const identity = { principalId: ids.principal(app), clientId: ids.client(app) };
  return {
    id: ids.site(app),
    name: ids.site(app).split('/').at(-1),
    identity: { type: 'UserAssigned', userAssignedIdentities: { [ids.identity(app)]: identity } },
    properties: {
      state: 'Running',
      httpsOnly: true,
      virtualNetworkSubnetId: null,
      functionAppConfig: {
        deployment: {
          storage: {
            type: 'blobContainer',
            value: `https://${ids.host(app).split('/').at(-1)}.blob.core.windows.net/app-package`,
            authentication: {
              type: 'UserAssignedIdentity',
              userAssignedIdentityResourceId: ids.identity(app),
            },
          },
        },
      },
    },
  };
}

function settingsOf(app: AppName): Record<string, string> {
  const url = (service: string) => `https://brkdevabc.${service}.core.windows.net/`;
  const host = (of: string) => ({
    [`${of}__credential`]: 'managedidentity',
    [`${of}__clientId`]: ids.client(app),
    [`${of}__queueServiceUri`]: url('queue'),
  });
  return {
    ...host('AzureWebJobsStorage'),
    AzureWebJobsStorage__blobServiceUri: url('blob'),
    AzureWebJobsStorage__tableServiceUri: url('table'),
    APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=00000000',
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '32768',
    BROKER_TENANT_ID: TENANT,
    BROKER_KEY_VAULT_URL: 'https://brk-dev-abc.vault.azure.net/',
    BROKER_TABLES_URL: url('table'),
    BROKER_BLOBS_URL: url('blob'),
    ...(app === 'issuer'
      ? {
          BROKER_ISSUER: 'https://broker.example.com',
          BROKER_CLIENT_ID: CLIENT,
          BROKER_QUEUES_URL: url('queue'),
          BROKER_ISSUER_IDENTITY: ids.client(app),
        }
      : { ...host('BROKER_QUEUES'), BROKER_ROTATOR_IDENTITY: ids.client(app), BROKER_HOLD_FROM: '' }),
  };
}

const roleNames = Object.keys(DEPLOYED_ROLES) as (keyof typeof DEPLOYED_ROLES)[];
export function roleId(role: keyof typeof DEPLOYED_ROLES): string {
  const permissions = DEPLOYED_ROLES[role];
  return roleDefinitionId('id' in permissions ? permissions.id : guid(100 + roleNames.indexOf(role)));
}
export const roleDefinitionId = (name: string): string =>
  `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${name}`;
export const definition = (
  name: string,
  roleName: string,
  permissions: { readonly actions: readonly string[]; readonly dataActions: readonly string[] },
) => ({
  id: roleDefinitionId(name),
  name,
  properties: { roleName, permissions: [{ notActions: [], notDataActions: [], ...permissions }] },
});
export const assignment = (roleDefinition: string, scope: string) => ({
  properties: { roleDefinitionId: roleDefinition, scope },
});

function addRoles(answers: Answers): void {
  for (const role of roleNames) {
    const id = roleId(role);
    const { actions, dataActions } = DEPLOYED_ROLES[role];
    answers.set(id, definition(id.split('/').at(-1) ?? '', `${role} (dev abc123)`, { actions, dataActions }));
  }
  for (const app of APPS) {
    const own = DEPLOYED_ASSIGNMENTS.filter(([identity]) => identity === app);
    const at = (isAccount: boolean) =>
      own
        .filter(([, scope]) => (scope === 'account') === isAccount)
        .map(([, scope, role]) => assignment(roleId(role), scopeId(scope)));
    answers.set(paths.assignments(app), { value: at(false) });
    answers.set(paths.assignments(app, ACCOUNT_SUBSCRIPTION), { value: at(true) });
  }
}

function scopeId(scope: DeployedScope): string {
  const [kind, name = ''] = scope.split(':');
  if (kind === 'table') return `${ids.state}/tableServices/default/tables/${name}`;
  if (kind === 'queue') return `${ids.state}/queueServices/default/queues/${name}`;
  if (kind === 'container') return `${ids.state}/blobServices/default/containers/${name}`;
  if (kind === 'host') return ids.host(name as AppName);
  return kind === 'vault' ? ids.vault : kind === 'account' ? ids.account : ids.component;
}

function addEvents(answers: Answers): void {
  const queue = {
    deliveryWithResourceIdentity: {
      destination: {
        endpointType: 'StorageQueue',
        properties: { resourceId: ids.state, queueName: 'events' },
      },
    },
  };
  const react = {
    destination: {
      endpointType: 'AzureFunction',
      properties: { resourceId: `${ids.site('issuer')}/functions/react` },
    },
  };
  const subscription = (name: string, to: object) => ({
    name,
    properties: { provisioningState: 'Succeeded', ...to },
  });
  const topic = (id: string, more: object) => ({
    id,
    name: id.split('/').at(-1),
    properties: { provisioningState: 'Succeeded', ...more },
  });
  answers.set(ids.topic, topic(ids.topic, { disableLocalAuth: true }));
  answers.set(ids.vaultTopic, topic(ids.vaultTopic, { topicType: 'Microsoft.KeyVault.vaults' }));
  answers.set(`${ids.topic}/eventSubscriptions`, {
    value: [subscription('issuer', react), subscription('rotator', queue)],
  });
  answers.set(`${ids.vaultTopic}/eventSubscriptions`, { value: [subscription('rotator', queue)] });
  for (const id of [ids.topic, ids.vaultTopic])
    answers.set(`${id}/providers/Microsoft.Insights/metrics`, {
      value: [{ timeseries: [{ data: [{ total: 0 }, {}] }] }],
    });
}

/** @param asked every request, as `GET /path` */
export function fakeFetch(answers: Answers, asked: string[] = []): typeof fetch {
  return async (input, init) => {
    const url = new URL(String(input));
    const path = decodeURIComponent(url.pathname);
    asked.push(`${init?.method} ${path}`);
    const [, principal] = /assignedTo\('(.+)'\)/.exec(url.searchParams.get('$filter') ?? '') ?? [];
    const answer = answers.get(principal === undefined ? path : `${path} ${principal}`) ?? 404;
    if (typeof answer === 'number')
      return Response.json({ error: { code: 'x', message: 'x' } }, { status: answer });
    return Response.json(answer);
  };
}

/**
 * Azure Resource Manager, as far as AI accounts go: read the account, list its keys, regenerate one.
 * https://learn.microsoft.com/rest/api/aiservices/accountmanagement/accounts
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../ports.ts';
import type { Account, Accounts } from './accounts.ts';
import { createArmThrottle } from './arm-throttle.ts';
import { json } from './json.ts';
import { type Authenticate, allows, type Principal, type RoleAssignment } from './roles.ts';
import type { Call, Endpoint, Outcome } from './service.ts';

export interface ArmOptions {
  readonly accounts: Accounts;
  readonly authenticate: Authenticate;
  assignments(): readonly RoleAssignment[];
  /** The URL of an account's own host. */
  endpointOf(name: string): string;
  readonly now: Clock;
}

const audiences = ['https://management.azure.com', 'https://management.core.windows.net'];
/** The stable and preview versions whose key operations are known to be these. */
const apiVersion = /^20[0-9]{2}-[01][0-9]-[0-3][0-9](-preview)?$/;
const path =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.CognitiveServices\/accounts\/([^/]+?)(?:\/(listKeys|regenerateKey))?\/?$/i;

type ArmOperation = 'getAccount' | 'listKeys' | 'regenerateKey' | 'unknown';

export function createArm(options: ArmOptions): Omit<Endpoint, 'port'> {
  const throttle = createArmThrottle();

  async function handle(call: Call): Promise<Outcome> {
    const version = call.url.searchParams.get('api-version');
    if (version === null) {
      const message = 'The api-version query parameter (?api-version=) is required for all requests.';
      return failure(400, 'MissingApiVersionParameter', message);
    }
    if (!apiVersion.test(version)) {
      return failure(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`);
    }
    const principal = await bearer(call, options.authenticate);
    if ('status' in principal) return principal;
    const wait = throttle(principal.objectId, call.method === 'GET' ? 'reads' : 'writes', options.now());
    if (wait.seconds > 0) return throttled(call, principal, wait.seconds);
    const outcome = act(options, call, principal);
    return { ...outcome, by: principal.clientId, headers: { ...outcome.headers, ...wait.headers } };
  }

  return {
    service: 'arm',
    operation: ({ method, url }) => operationOf(method, url.pathname),
    async handle(call) {
      const outcome = await handle(call);
      const id = randomUUID();
      return {
        ...outcome,
        resource: resourceOf(options.accounts, call.url.pathname),
        headers: {
          'cache-control': 'no-cache',
          'x-ms-request-id': id,
          'x-ms-correlation-request-id': id,
          ...outcome.headers,
        },
      };
    },
  };
}

function operationOf(method: string, pathname: string): ArmOperation {
  const found = path.exec(pathname);
  const action = found?.[4]?.toLowerCase();
  if (method === 'GET' && found && action === undefined) return 'getAccount';
  if (method === 'POST' && action === 'listkeys') return 'listKeys';
  return method === 'POST' && action === 'regeneratekey' ? 'regenerateKey' : 'unknown';
}

/** For the request log: the name everyone else uses, where there is such an account. */
function resourceOf(accounts: Accounts, pathname: string): string | undefined {
  const found = path.exec(pathname);
  return found ? (accounts.findById(accountIdOf(found))?.name ?? found[3]) : undefined;
}

function accountIdOf([, subscription, group, name]: readonly string[]): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.CognitiveServices/accounts/${name}`;
}

/** What it does once the caller is known. Authorization comes before existence, as in Azure. */
function act(options: ArmOptions, call: Call, principal: Principal): Outcome {
  const operation = operationOf(call.method, call.url.pathname);
  const found = path.exec(call.url.pathname);
  if (operation === 'unknown' || found === null) {
    return failure(404, 'InvalidResourceType', 'The resource type could not be found.');
  }
  const accountId = accountIdOf(found);
  const action = `Microsoft.CognitiveServices/accounts/${operation === 'getAccount' ? 'read' : `${operation}/action`}`;
  if (!allows(options.assignments(), principal.objectId, 'actions', action, accountId)) {
    const message = `The client '${principal.clientId}' with object id '${principal.objectId}' does not have authorization to perform action '${action}' over scope '${accountId}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
    return failure(403, 'AuthorizationFailed', message);
  }
  const account = options.accounts.findById(accountId);
  if (account === undefined) {
    const message = `The Resource 'Microsoft.CognitiveServices/accounts/${found[3]}' under resource group '${found[2]}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`;
    return failure(404, 'ResourceNotFound', message);
  }
  switch (operation) {
    case 'getAccount':
      return { status: 200, body: describe(account, options.endpointOf(account.name)) };
    case 'listKeys':
      return listKeys(options.accounts, account, principal);
    case 'regenerateKey':
      return regenerateKey(options.accounts, account, principal, call.body);
  }
}

function listKeys(accounts: Accounts, account: Account, by: Principal): Outcome {
  if (account.settings.disableLocalAuth) {
    return failure(400, 'BadRequest', 'Failed to list key. disableLocalAuth is set to be true');
  }
  accounts.noteListKeys(account.name, { ...by, principalType: 'ServicePrincipal' });
  return { status: 200, body: bothKeys(accounts, account) };
}

const keyName = z.object({ keyName: z.string() });

function regenerateKey(accounts: Accounts, account: Account, by: Principal, body: string): Outcome {
  const asked = keyName.safeParse(json(body)).data?.keyName;
  if (asked !== 'Key1' && asked !== 'Key2') {
    const message = `The key name '${asked ?? ''}' is invalid. Valid values are 'Key1' and 'Key2'.`;
    return failure(400, 'BadRequest', message);
  }
  // Not documented for this action; assumed to be refused as listKeys is.
  if (account.settings.disableLocalAuth) {
    return failure(400, 'BadRequest', 'Failed to regenerate key. disableLocalAuth is set to be true');
  }
  accounts.regenerate(account.name, asked, { ...by, principalType: 'ServicePrincipal' });
  const regenerated = accounts.find(account.name) ?? account;
  return {
    status: 200,
    body: bothKeys(accounts, regenerated),
    keyFingerprint: accounts.currentKey(regenerated, asked).fingerprint,
  };
}

function bothKeys(accounts: Accounts, account: Account): { key1: string; key2: string } {
  return {
    key1: accounts.currentKey(account, 'Key1').value,
    key2: accounts.currentKey(account, 'Key2').value,
  };
}

function describe(account: Account, endpoint: string): object {
  return {
    id: account.accountId,
    name: account.accountId.split('/').at(-1),
    type: 'Microsoft.CognitiveServices/accounts',
    kind: account.kind,
    location: account.region,
    sku: { name: 'S0' },
    properties: {
      endpoint: `${endpoint}/`,
      customSubDomainName: account.name,
      disableLocalAuth: account.settings.disableLocalAuth,
      provisioningState: 'Succeeded',
      publicNetworkAccess: 'Enabled',
    },
  };
}

/** The caller, or the 401 that turns it away. */
async function bearer(call: Call, authenticate: Authenticate): Promise<Principal | Outcome> {
  const [scheme, token] = (call.headers['authorization'] ?? '').split(' ');
  const principal =
    scheme?.toLowerCase() === 'bearer' && token ? await authenticate(token, audiences) : undefined;
  if (principal !== undefined) return principal;
  const [code, message, error] = token
    ? ['InvalidAuthenticationToken', 'The access token is invalid.', 'invalid_token']
    : [
        'AuthenticationFailed',
        "Authentication failed. The 'Authorization' header is missing.",
        'invalid_token',
      ];
  return {
    ...failure(401, code, message),
    headers: {
      'www-authenticate': `Bearer authorization_uri="https://login.microsoftonline.com/", error="${error}", error_description="${message}"`,
    },
  };
}

function throttled(call: Call, by: Principal, seconds: number): Outcome {
  const subscription = path.exec(call.url.pathname)?.[1] ?? '';
  const message = `Number of requests for subscription '${subscription}' actor '${by.objectId}' exceeded. Please try again after '${seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`;
  return {
    ...failure(429, 'SubscriptionRequestsThrottled', message),
    by: by.clientId,
    headers: { 'retry-after': String(seconds) },
  };
}

function failure(status: number, code: string, message: string): Outcome {
  return { status, body: { error: { code, message } } };
}

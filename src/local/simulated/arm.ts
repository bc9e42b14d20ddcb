/** The front door of Azure Resource Manager, for AI accounts: version, caller, throttle, role, existence. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ports.ts';
import type { Accounts } from './accounts.ts';
import { failure, getAccount, listKeys, regenerateKey } from './arm-accounts.ts';
import { createArmThrottle } from './arm-throttle.ts';
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
/** Stable and preview versions: the key operations are the same in all of them since 2017. */
const apiVersion = /^20[0-9]{2}-[01][0-9]-[0-3][0-9](-preview)?$/;

export function createArm(options: ArmOptions): Omit<Endpoint, 'port'> {
  const throttle = createArmThrottle();

  async function handle(call: Call, target: Target | undefined): Promise<Outcome> {
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
    const { seconds, headers } = throttle(
      principal.objectId,
      call.method === 'GET' ? 'reads' : 'writes',
      options.now(),
    );
    const outcome = seconds > 0 ? throttled(principal, seconds) : act(options, call.body, target, principal);
    return { ...outcome, by: principal.clientId, headers: { ...headers, ...outcome.headers } };
  }

  return {
    service: 'arm',
    operation: ({ method, url }) => parse(method, url.pathname)?.operation ?? 'unknown',
    async handle(call) {
      const target = parse(call.method, call.url.pathname);
      const outcome = await handle(call, target);
      const id = randomUUID();
      return {
        ...outcome,
        // The name everyone else uses, where there is such an account.
        resource: target && (options.accounts.findById(target.accountId)?.name ?? target.name),
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

/** What is asked of which account, whether there is one or not. */
interface Target {
  readonly operation: 'getAccount' | 'listKeys' | 'regenerateKey';
  readonly accountId: string;
  readonly group: string;
  readonly name: string;
}

const path =
  /^(\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.CognitiveServices\/accounts\/([^/]+?))(?:\/(listKeys|regenerateKey))?\/?$/i;

function parse(method: string, pathname: string): Target | undefined {
  const [, accountId = '', group = '', name = '', action] = path.exec(pathname) ?? [];
  if (name === '' || method !== (action === undefined ? 'GET' : 'POST')) return undefined;
  const operation =
    action === undefined ? 'getAccount' : action.toLowerCase() === 'listkeys' ? 'listKeys' : 'regenerateKey';
  return { operation, accountId, group, name };
}

/** Authorization comes before existence, as in Azure: a stranger learns of no account. */
function act(options: ArmOptions, body: string, target: Target | undefined, by: Principal): Outcome {
  if (target === undefined) {
    return failure(404, 'InvalidResourceType', 'The resource type could not be found.');
  }
  const { operation, accountId, group, name } = target;
  const { accounts } = options;
  const verb = operation === 'getAccount' ? 'read' : `${operation}/action`;
  const action = `Microsoft.CognitiveServices/accounts/${verb}`;
  if (!allows(options.assignments(), by.objectId, 'actions', action, accountId)) {
    const message = `The client '${by.clientId}' with object id '${by.objectId}' does not have authorization to perform action '${action}' over scope '${accountId}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
    return failure(403, 'AuthorizationFailed', message);
  }
  const account = accounts.findById(accountId);
  if (account === undefined) {
    const message = `The Resource 'Microsoft.CognitiveServices/accounts/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`;
    return failure(404, 'ResourceNotFound', message);
  }
  switch (operation) {
    case 'getAccount':
      return getAccount(account, options.endpointOf(account.name));
    case 'listKeys':
      return listKeys(accounts, account, by);
    case 'regenerateKey':
      return regenerateKey(accounts, account, by, body);
  }
}

/** The caller, or the 401 that turns it away. */
async function bearer(call: Call, authenticate: Authenticate): Promise<Principal | Outcome> {
  const token = /^Bearer +(.+)$/i.exec(call.headers['authorization'] ?? '')?.[1];
  const principal = token === undefined ? undefined : await authenticate(token, audiences);
  if (principal !== undefined) return principal;
  const refused = token
    ? failure(401, 'InvalidAuthenticationToken', 'The access token is invalid.')
    : failure(401, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
  const challenge =
    'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token", error_description="The authentication failed."';
  return { ...refused, headers: { 'www-authenticate': challenge } };
}

function throttled(by: Principal, seconds: number): Outcome {
  const message = `Number of requests for actor '${by.objectId}' exceeded. Please try again after '${seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`;
  return {
    ...failure(429, 'SubscriptionRequestsThrottled', message),
    headers: { 'retry-after': String(seconds) },
  };
}

/**
 * The managed-identity endpoint of App Service, protocol 2019-08-01, over plain http as there. Each app has a header
 * of its own, and gets tokens of the identities that are attached to it, of each of them and of no other.
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
import { randomUUID } from 'node:crypto';
import { MANAGED_IDENTITY_LIFE_MS } from '../../facts/entra.ts';
import type { Directory, ManagedIdentity } from './directory.ts';
import { type Issued, type IssueToken, identitySubject } from './entra-tokens.ts';
import type { Endpoint, Outcome } from './service.ts';

export interface IdentityOptions {
  readonly directory: Directory;
  readonly issue: IssueToken;
  /** By what IDENTITY_HEADER holds in an app, whether it carries an identity. */
  readonly apps: ReadonlyMap<string, (identity: ManagedIdentity) => boolean>;
  readonly now: () => number;
}

const lifeSeconds = MANAGED_IDENTITY_LIFE_MS / 1000;
/** The platform hands out the same token for the same resource until it has less than this left. */
const leastSeconds = 600;

export function createIdentity(options: IdentityOptions): Omit<Endpoint, 'port'> {
  const tokens = new Map<string, Issued>();

  function tokenFor(identity: ManagedIdentity, resource: string): Issued {
    const name = `${identity.principalId} ${resource}`;
    const cached = tokens.get(name);
    if (cached && cached.expiresAtSeconds - options.now() / 1000 > leastSeconds) return cached;
    const audience = resource.replace(/\/$/, '');
    const subject = identitySubject(identity, options.directory.homeTenantId, audience);
    const issued = options.issue(resource, subject, lifeSeconds);
    tokens.set(name, issued);
    return issued;
  }

  return {
    service: 'identity',
    plain: true,
    operation: () => 'token',
    handle({ url, headers, method }): Outcome {
      const { searchParams } = url;
      if (method !== 'GET') return refuse(405, 'Method not allowed.');
      const carries = options.apps.get(headers['x-identity-header'] ?? '');
      if (carries === undefined) return refuse(401, 'The X-IDENTITY-HEADER is not valid.');
      if (searchParams.get('api-version') !== '2019-08-01') return refuse(400, 'Unsupported api-version.');
      const resource = searchParams.get('resource');
      if (!resource) return refuse(400, "The 'resource' parameter is required.");
      const identity = select(options.directory.identities.filter(carries), searchParams);
      if (!identity) return refuse(400, 'Unable to load the proper Managed Identity.');
      const { token, expiresAtSeconds } = tokenFor(identity, resource);
      return {
        status: 200,
        by: identity.clientId,
        resource,
        body: {
          access_token: token,
          expires_on: String(expiresAtSeconds),
          resource,
          token_type: 'Bearer',
          client_id: identity.clientId,
        },
      };
    },
  };
}

/** No selector: the system-assigned identity. */
function select(identities: readonly ManagedIdentity[], query: URLSearchParams): ManagedIdentity | undefined {
  const clientId = query.get('client_id');
  const principalId = query.get('principal_id') ?? query.get('object_id');
  const resourceId = query.get('mi_res_id');
  return identities.find((identity) => {
    if (clientId !== null) return identity.clientId === clientId.toLowerCase();
    if (principalId !== null) return identity.principalId === principalId.toLowerCase();
    if (resourceId !== null) return identity.resourceId.toLowerCase() === resourceId.toLowerCase();
    return identity.isSystemAssigned;
  });
}

function refuse(statusCode: number, message: string): Outcome {
  return { status: statusCode, body: { statusCode, message, correlationId: randomUUID() } };
}

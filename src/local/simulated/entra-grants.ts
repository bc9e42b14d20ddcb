/**
 * The grants of the token endpoint: client credentials, a user's password (local convenience), on behalf of.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */
import type { Api, Directory, User } from './directory.ts';
import { missing, type ProvenClient } from './entra-client.ts';
import { type EntraRefusal, refusal } from './entra-errors.ts';
import type { Members } from './entra-keys.ts';
import { agentPath, apiOf, applicationSubject, federationAudience, type Subject } from './entra-tokens.ts';
import type { VerifyAccessToken } from './entra-verify.ts';

export interface GrantRequest {
  readonly client: ProvenClient;
  readonly form: URLSearchParams;
  readonly audience: string;
}
export interface GrantOptions {
  readonly directory: Directory;
  readonly verify: VerifyAccessToken;
}
type Grant = (request: GrantRequest) => Subject | EntraRefusal;

/** What Conditional Access sends a client back with, for the user to satisfy. */
const secondFactor = JSON.stringify({
  access_token: { polids: { essential: true, values: ['9ab03e19-ed42-4168-b6b7-7001fb3e933a'] } },
});

export const grantNames: Readonly<Record<string, string>> = {
  client_credentials: 'client_credentials',
  password: 'password',
  'urn:ietf:params:oauth:grant-type:jwt-bearer': 'on_behalf_of',
};

export function createGrants({ directory, verify }: GrantOptions): Readonly<Record<string, Grant>> {
  return {
    client_credentials({ client, form, audience }) {
      if (client.proof === '0') return noProof;
      const path = form.get('fmi_path');
      if (path !== null) return speakFor(client, path, audience);
      return applicationSubject(client.app, client.proof, apiOf(directory, audience));
    },

    password({ client, form, audience }) {
      const { secret, allowsPublicFlows, isSinglePage } = client.app;
      const isPublic = allowsPublicFlows || (secret === undefined && !isSinglePage);
      if (!isPublic && client.proof === '0') return noProof;
      const username = form.get('username')?.toLowerCase();
      const user = directory.users.find(
        (one) => one.username === username && one.tenantId === client.app.tenantId,
      );
      if (!user || user.deleted) {
        return refusal('invalid_grant', 50034, 'The user account does not exist in the directory.');
      }
      if (user.password !== form.get('password')) {
        return refusal(
          'invalid_grant',
          50126,
          'Error validating credentials due to invalid username or password.',
        );
      }
      return user.accountEnabled ? delegated(client, user, apiOf(directory, audience)) : disabled;
    },

    on_behalf_of({ client, form, audience }) {
      if (client.proof === '0') return noProof;
      if (form.get('requested_token_use') !== 'on_behalf_of') return missing('requested_token_use');
      const assertion = form.get('assertion');
      if (!assertion) return missing('assertion');
      // A person's token for an agent is for its blueprint.
      const own = apisOf(directory, client.app.blueprintId ?? client.app.clientId);
      const verified = verify(
        assertion,
        own.flatMap((api) => [api.clientId, ...api.uris]),
      );
      if ('fault' in verified) return assertionRefused(verified.fault);
      return actFor(client, verified.claims, apiOf(directory, audience));
    },
  };

  /** A blueprint's first step: the token that proves, as a client assertion, that it may speak for one of its agents. */
  function speakFor(client: ProvenClient, path: string, audience: string): Subject | EntraRefusal {
    const agent = directory.application(client.app.tenantId, path);
    if (audience !== federationAudience || agent?.blueprintId !== client.app.clientId)
      return refusal('invalid_request', 82001, 'The agent identity is not one of this blueprint.');
    return {
      ...applicationSubject(client.app, client.proof, apiOf(directory, audience)),
      agentPath: agentPath(agent),
    };
  }

  function actFor(client: ProvenClient, claims: Members, api: Api): Subject | EntraRefusal {
    if (claims['scp'] === undefined) {
      return refusal(
        'invalid_grant',
        7000114,
        'Application is not allowed to make application on-behalf-of calls.',
      );
    }
    const user = directory.users.find(
      (one) => one.objectId === claims['oid'] && one.tenantId === claims['tid'],
    );
    if (!user || user.deleted) {
      return refusal('invalid_grant', 50034, 'The user account does not exist in the directory.');
    }
    if (!user.accountEnabled) return disabled;
    if (Number(claims['iat']) * 1000 < Date.parse(user.signInSessionsValidFromDateTime)) {
      return refusal(
        'invalid_grant',
        50173,
        'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
      );
    }
    if (user.needsSecondFactor) {
      const message =
        'Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication.';
      return {
        ...refusal('interaction_required', 50079, message),
        suberror: 'basic_action',
        claims: secondFactor,
      };
    }
    return delegated(client, user, api);
  }
}

const noProof = refusal(
  'invalid_client',
  7000218,
  "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
);
const disabled = refusal('invalid_grant', 50057, 'The user account is disabled.');

function assertionRefused(fault: string): EntraRefusal {
  switch (fault) {
    case 'audience':
      return refusal(
        'invalid_grant',
        500131,
        'Assertion audience does not match the Client app presenting the assertion.',
      );
    case 'expired':
      return refusal('invalid_grant', 500133, 'Assertion is not within its valid time range.');
    default:
      return refusal('invalid_grant', 50013, 'Assertion failed signature validation.');
  }
}

function apisOf(directory: Directory, clientId: string): readonly Api[] {
  return directory.apis.filter((api) => api.clientId === clientId);
}

export function delegated({ app, proof }: ProvenClient, user: User, api: Api): Subject {
  const roles = api.isBroker ? (user.appRoles ?? []) : [];
  const { tenantId, objectId } = user;
  return { tenantId, objectId, clientId: app.clientId, proof, user, roles, blueprintId: app.blueprintId };
}

/** Entra tokens for an Azure AI resource: by application, by managed identity, on behalf of a user. */
import type { AccessToken } from '@azure/core-auth';
import * as z from 'zod';
import type { Clock, EntraTokens, IssuedToken, OnBehalfOfRefusal } from '../ports.ts';
import { Secret } from '../secret.ts';
import { call } from './call.ts';
import { failed, fetchText, parseJson } from './fetch.ts';

export interface EntraTokensOptions {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** The user-assigned identity that the application trusts. Its token is the client assertion. */
  readonly issuerIdentity: string;
  readonly federationScope: string;
  /** A token of a managed identity of this app; `undefined` is the system-assigned one. Throws UpstreamFailure. */
  readonly identityToken: (scope: string, identityClientId: string | undefined) => Promise<AccessToken>;
  readonly clock: Clock;
}

const tokenShape = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().int().positive(),
});
const refusalShape = z.object({ error: z.string(), claims: z.string().optional() });

/**
 * These are plain requests, because the SDK does not fit: its on-behalf-of credential loses the `claims` of
 * Conditional Access and asks for a refresh token, and its cache would return a token that was just revoked. Managed
 * identity tokens come from the SDK, because it knows the platform's endpoints.
 */
export function createEntraTokens(options: EntraTokensOptions): EntraTokens {
  const { authority, tenantId, clientId, issuerIdentity, federationScope, identityToken, clock } = options;
  const endpoint = `${authority}/${tenantId}/oauth2/v2.0/token`;

  const ask = async (grant: Record<string, string>): Promise<IssuedToken | OnBehalfOfRefusal> => {
    const assertion = await identityToken(federationScope, issuerIdentity);
    return call('entra', 'token', async (signal) => {
      const askedAtMs = clock();
      const answer = await fetchText('entra', endpoint, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: clientId,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion.token,
          ...grant,
        }),
        signal,
      });
      if (answer.status === 200) {
        const { access_token, expires_in } = parseJson('entra', answer.text, tokenShape);
        return { token: new Secret(access_token), expiresAtMs: askedAtMs + expires_in * 1000 };
      }
      const refusal = answer.status === 400 ? parseJson('entra', answer.text, refusalShape) : undefined;
      if (refusal?.error === 'interaction_required' || refusal?.error === 'invalid_grant')
        return { refused: refusal.error, claims: refusal.claims };
      throw failed('entra', answer);
    });
  };

  return {
    byApplication: async (scope) => {
      const answer = await ask({ grant_type: 'client_credentials', scope });
      // The caller did nothing wrong: the application or its federation is not set up as the policy says.
      if (!('token' in answer))
        throw failed('entra', { status: 400, text: '', retryAfterSeconds: undefined });
      return answer;
    },
    byManagedIdentity: async (scope, identity) => {
      const { token, expiresOnTimestamp } = await identityToken(scope, identity);
      return { token: new Secret(token), expiresAtMs: expiresOnTimestamp };
    },
    onBehalfOf: (scope, userToken) =>
      ask({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        requested_token_use: 'on_behalf_of',
        assertion: userToken.reveal(),
        scope,
      }),
  };
}

/** Where an app's or a user's own Entra token comes from: `getCallerToken` of the libraries that have one. */

/** As @azure/core-auth has it: any credential of @azure/identity, and whatever else is a `TokenCredential`. */
export interface CredentialLike {
  getToken(
    scopes: string | string[],
    options?: { claims?: string | undefined; enableCae?: boolean },
  ): Promise<{ readonly token: string } | null>;
}

/**
 * @param scope of the broker's app registration: `api://CLIENT_ID/.default`
 * @example
 * ```ts
 * import { EnvironmentCredential } from '@azure/identity';
 * import { brokerToken } from './broker-token.ts';
 * import { fromCredential } from './caller.ts';
 *
 * const { BROKER = '', BROKER_SCOPE = '' } = process.env;
 * // The option is for the local mode alone: its Entra is no authority that Microsoft lists.
 * const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
 * const speech = brokerToken({ issuer: BROKER, resource: 'speech', getCallerToken: fromCredential(own, BROKER_SCOPE) });
 * console.log((await speech()).tokenKind);
 * ```
 */
export function fromCredential(
  credential: CredentialLike,
  scope: string,
): (claims?: string) => Promise<string> {
  return async (claims) => {
    // Without enableCae the libraries answer a challenge from the cache that has the refused token.
    const answer = await credential.getToken(scope, { enableCae: true, claims });
    if (!answer) throw new Error('no token of its own');
    return answer.token;
  };
}

/** As much of a `PublicClientApplication` of @azure/msal-browser as is needed. */
export interface MsalLike {
  acquireTokenSilent(request: {
    scopes: string[];
    claims?: string | undefined;
  }): Promise<{ readonly accessToken: string }>;
}

/**
 * The signed-in user of a page: MSAL's active account. Where the user must take part, MSAL's
 * `InteractionRequiredAuthError` comes through as it is: the page then calls `acquireTokenPopup` or
 * `acquireTokenRedirect`, and asks again.
 * @param scope of the broker's app registration: `api://CLIENT_ID/access`
 */
export function fromMsal(msal: MsalLike, scope: string): (claims?: string) => Promise<string> {
  return async (claims) => (await msal.acquireTokenSilent({ scopes: [scope], claims })).accessToken;
}

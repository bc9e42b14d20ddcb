/** The managed identities of this app, by client id; undefined is the system-assigned one. */
import type { AccessToken, TokenCredential } from '@azure/core-auth';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

export interface Identities {
  credential(clientId: string | undefined): Promise<TokenCredential>;
  /** @throws UpstreamFailure */
  token(scope: string, clientId: string | undefined): Promise<AccessToken>;
}

/** @azure/identity is the largest of the dependencies: loaded when the first identity is used. */
export function createIdentities(): Identities {
  const credentials = new Map<string, Promise<TokenCredential>>();
  const credential = (clientId: string | undefined): Promise<TokenCredential> => {
    const name = clientId ?? '';
    let made = credentials.get(name);
    if (made === undefined) {
      made = import('@azure/identity').then(
        ({ ManagedIdentityCredential }) =>
          new ManagedIdentityCredential({
            ...(clientId ? { clientId } : {}),
            retryOptions: { maxRetries: 0 },
          }),
      );
      credentials.set(name, made);
    }
    return made;
  };
  return {
    credential,
    token: (scope, clientId) =>
      call('identity', 'token', async (signal) => {
        const token = await (await credential(clientId)).getToken(scope, { abortSignal: signal });
        if (token === null) throw new UpstreamFailure('identity', 'gave no token');
        return token;
      }),
  };
}

/** The managed identities of this app, by client id; `undefined` is the system-assigned one. */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

export interface Identities {
  /** A credential for an Azure SDK. Its `getToken` throws UpstreamFailure. */
  credential(clientId: string | undefined): TokenCredential;
  /** @throws UpstreamFailure */
  token(scope: string, clientId: string | undefined): Promise<AccessToken>;
}

/** Shorter than the deadlines of the calls that wait for a token, so that the error names the identity service. */
const DEADLINE_MS = 2_500;

/** @azure/identity is the largest dependency, so it is loaded when the first identity is used. */
export function createIdentities(load = () => import('@azure/identity')): Identities {
  const credentials = new Map<string, Promise<TokenCredential>>();
  const open = (clientId: string | undefined): Promise<TokenCredential> => {
    const name = clientId ?? '';
    let made = credentials.get(name);
    if (made === undefined) {
      made = load().then(
        ({ ManagedIdentityCredential }) =>
          new ManagedIdentityCredential({
            ...(clientId ? { clientId } : {}),
            retryOptions: { maxRetries: 0 },
          }),
      );
      credentials.set(name, made);
      // A load that failed, for lack of file handles for example, is not kept: the next call loads again.
      made.catch(() => credentials.delete(name));
    }
    return made;
  };
  const asking = new Map<string, Promise<AccessToken>>();
  // An Azure SDK sends one token request for all its calls and waits for it without a limit. So the request has a
  // deadline here; else one answer that never comes would block every later call. And the endpoint sends truncated
  // answers when it gets many requests at once, so calls that want the same token at the same time share one.
  const credential = (clientId: string | undefined): TokenCredential => ({
    getToken: (scopes, options) => {
      const name = JSON.stringify([clientId, scopes, options?.claims]);
      const shared = asking.get(name) ?? ask(clientId, scopes, options).finally(() => asking.delete(name));
      asking.set(name, shared);
      return shared;
    },
  });
  const ask = async (
    clientId: string | undefined,
    scopes: string | string[],
    options: GetTokenOptions | undefined,
  ): Promise<AccessToken> => {
    const opened = await open(clientId);
    const token = await call(
      'identity',
      'token',
      (abortSignal) => opened.getToken(scopes, { ...options, abortSignal }),
      { deadlineMs: DEADLINE_MS },
    );
    if (token === null) throw new UpstreamFailure('identity', 'gave no token');
    return token;
  };
  return {
    credential,
    token: async (scope, clientId) => {
      const token = await credential(clientId).getToken(scope);
      if (token === null) throw new UpstreamFailure('identity', 'gave no token');
      return token;
    },
  };
}

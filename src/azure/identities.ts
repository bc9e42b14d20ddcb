/** The managed identities of this app, by client id; undefined is the system-assigned one. */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

export interface Identities {
  /** For an SDK. Its `getToken` throws UpstreamFailure. */
  credential(clientId: string | undefined): TokenCredential;
  /** @throws UpstreamFailure */
  token(scope: string, clientId: string | undefined): Promise<AccessToken>;
}

/** Shorter than the calls that wait for it, so that they say what was really missing. */
const DEADLINE_MS = 2_500;

/** @azure/identity is the largest of the dependencies: loaded when the first identity is used. */
export function createIdentities(): Identities {
  const credentials = new Map<string, Promise<TokenCredential>>();
  const open = (clientId: string | undefined): Promise<TokenCredential> => {
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
  const asking = new Map<string, Promise<AccessToken>>();
  // The SDKs share one request for a token and wait for it as long as it takes: without a deadline of its
  // own, one answer that never comes would keep every later call waiting. And the endpoint breaks under many
  // requests at once (its answers come truncated), so those who want the same token at one moment share one.
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

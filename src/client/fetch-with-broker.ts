import type { GetBrokerToken, GetOptions } from './broker-token.ts';

/** `fetch` for one Azure AI resource. A path is one of the resource's endpoint. */
export type BrokerFetch = (address: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * Plain REST with the broker's token. A 401 is tried once more, with another token and the service's claims challenge
 * where it sends one; what has a body that can be read only once is not, and its 401 is the answer.
 *
 * The token goes to the resource's own endpoint and to no other host, but for those that are named here: the
 * regional or global one that some services have beside it.
 *
 * @param get what `brokerToken()` makes
 * @throws BrokerError where the broker has no token to give, so also instead of the second try
 * @example
 * ```ts
 * import { EnvironmentCredential } from '@azure/identity';
 * import { brokerToken } from './broker-token.ts';
 * import { fromCredential } from './caller.ts';
 * import { fetchWithBroker } from './fetch-with-broker.ts';
 *
 * const { BROKER = '', BROKER_SCOPE = '' } = process.env;
 * // The option is for the local mode alone: its Entra is no authority that Microsoft lists.
 * const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
 * const getCallerToken = fromCredential(own, BROKER_SCOPE);
 * const speech = fetchWithBroker(brokerToken({ issuer: BROKER, resource: 'speech', getCallerToken }));
 * const answer = await speech('/tts/cognitiveservices/voices/list');
 * console.log(`${answer.status} from ${answer.url}`);
 * ```
 */
export function fetchWithBroker(
  get: GetBrokerToken,
  {
    alsoAt = [],
    fetch: send = fetch,
  }: { readonly alsoAt?: readonly string[]; readonly fetch?: typeof fetch } = {},
): BrokerFetch {
  return async (address, init = {}) => {
    const headers = new Headers(init.headers);
    const ask = async (options?: GetOptions) => {
      const token = await get({ ...options, signal: init.signal });
      const url = new URL(address, token.endpoint);
      if (![new URL(token.endpoint).origin, ...alsoAt].includes(url.origin))
        throw new Error(`no token for ${url.origin}`);
      headers.set('authorization', `Bearer ${token.accessToken}`);
      return { token, answer: await send(url, { ...init, headers }) };
    };
    const { token, answer } = await ask();
    // A string, a form, bytes or a Blob can be sent again; a stream or an iterator cannot.
    const body = Object(init.body);
    if (answer.status !== 401 || body.getReader || body[Symbol.asyncIterator]) return answer;
    const claims = /claims="([^"]+)/.exec(`${answer.headers.get('www-authenticate')}`)?.[1];
    await answer.body?.cancel();
    return (await ask({ refused: token, claims: claims && atob(claims) })).answer;
  };
}

import {
  type BrokerToken,
  type BrokerTokenOptions,
  brokerToken,
  type Signal,
  sinceStart,
} from './broker-token.ts';

/**
 * The broker as a `TokenCredential`, for every client of the Azure SDK and for `openai`.
 * The scope that the SDK asks for is not looked at: the broker's policy fixes it for the resource.
 * Each object has a cache of its own, in memory only: an app has one for each resource, and shares it.
 *
 * @example
 * ```ts
 * import { EnvironmentCredential, getBearerTokenProvider } from '@azure/identity';
 * import OpenAI from 'openai';
 * import { fromCredential } from './caller.ts';
 * import { BrokerCredential } from './credential.ts';
 *
 * const { BROKER = '', BROKER_SCOPE = '', CHAT_ENDPOINT = '' } = process.env;
 * // The option is for the local mode alone: its Entra is no authority that Microsoft lists.
 * const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
 * const credential = new BrokerCredential({
 *   issuer: BROKER,
 *   resource: 'chat',
 *   tokenKind: 'entra',
 *   getCallerToken: fromCredential(own, BROKER_SCOPE),
 * });
 * const openai = new OpenAI({
 *   baseURL: `${CHAT_ENDPOINT}/openai/v1`,
 *   apiKey: getBearerTokenProvider(credential, 'https://cognitiveservices.azure.com/.default'),
 * });
 * const { choices } = await openai.chat.completions.create({
 *   model: 'gpt-4o-mini',
 *   messages: [{ role: 'user', content: 'Hello' }],
 * });
 * console.log(choices[0]?.message.content);
 * ```
 */
export class BrokerCredential {
  /**
   * `claims`: a challenge the service answered with; goes to `getCallerToken`
   * @throws BrokerError
   */
  declare readonly getToken: (scopes?: string | string[], options?: GetTokenOptions) => Promise<AccessToken>;

  constructor(options: BrokerTokenOptions) {
    const get = brokerToken(options);
    this.getToken = async (_, { claims, abortSignal: signal } = {}) =>
      onTheWall(await get({ claims, signal }), options);
  }
}

/** The SDK counts on the clock on the wall, in milliseconds since the epoch. */
export function onTheWall(
  { accessToken, expiresAtMs, refreshAtMs }: BrokerToken,
  { nowMs = sinceStart }: BrokerTokenOptions,
): AccessToken {
  const offsetMs = Date.now() - nowMs();
  return {
    token: accessToken,
    expiresOnTimestamp: expiresAtMs + offsetMs,
    refreshAfterTimestamp: refreshAtMs + offsetMs,
    tokenType: 'Bearer',
  };
}

/** As much of what @azure/core-auth has as means something here. */
export interface GetTokenOptions {
  readonly claims?: string | undefined;
  readonly abortSignal?: Signal | undefined;
}

/** As @azure/core-auth has it. */
export interface AccessToken {
  readonly token: string;
  readonly expiresOnTimestamp: number;
  readonly refreshAfterTimestamp: number;
  readonly tokenType: 'Bearer';
}

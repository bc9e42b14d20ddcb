import {
  type BrokerToken,
  type BrokerTokenOptions,
  brokerToken,
  type GetBrokerToken,
} from './broker-token.ts';

/**
 * The broker as a `TokenCredential`, for every client of the Azure SDK and for `openai`.
 * The scope that the SDK asks for is not looked at: the broker's policy fixes it for the resource.
 *
 * @example
 * ```ts
 * import { EnvironmentCredential, getBearerTokenProvider } from '@azure/identity';
 * import OpenAI from 'openai';
 * import { BrokerCredential } from './credential.ts';
 *
 * const { BROKER = '', BROKER_SCOPE = '', CHAT_ENDPOINT = '' } = process.env;
 * // The option is for the local mode alone: its Entra is no authority that Microsoft lists.
 * const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
 * const credential = new BrokerCredential({
 *   issuer: BROKER,
 *   resource: 'chat',
 *   tokenKind: 'entra',
 *   getCallerToken: async (claims) =>
 *     (await own.getToken(BROKER_SCOPE, { enableCae: true, ...(claims && { claims }) })).token,
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
  readonly #get: GetBrokerToken;
  readonly #nowMs: () => number;

  constructor(options: BrokerTokenOptions) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#get = brokerToken(options);
  }

  /**
   * @param options `claims`: a challenge the service answered with; goes to `getCallerToken`
   * @throws BrokerError
   */
  async getToken(_scopes: string | string[], options: { claims?: string } = {}): Promise<AccessToken> {
    const token = await this.#get(options.claims === undefined ? {} : { claims: options.claims });
    return this.#onTheWall(token);
  }

  /** The SDK counts on the clock on the wall, in milliseconds since the epoch. */
  #onTheWall({ accessToken, expiresAtMs, refreshAtMs }: BrokerToken): AccessToken {
    const offsetMs = Date.now() - this.#nowMs();
    return {
      token: accessToken,
      expiresOnTimestamp: Math.floor(expiresAtMs + offsetMs),
      refreshAfterTimestamp: Math.floor(refreshAtMs + offsetMs),
      tokenType: 'Bearer',
    };
  }
}

/** As @azure/core-auth has it. */
interface AccessToken {
  readonly token: string;
  readonly expiresOnTimestamp: number;
  readonly refreshAfterTimestamp: number;
  readonly tokenType: 'Bearer';
}

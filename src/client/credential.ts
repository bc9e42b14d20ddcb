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
 * const credential = new BrokerCredential({
 *   issuer: 'https://broker.example.com',
 *   getCallerToken: async () => (await own.getToken('api://broker/.default')).token,
 *   resource: 'chat',
 *   tokenKind: 'entra',
 * });
 * const client = new TextAnalyticsClient(endpoint, credential);
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

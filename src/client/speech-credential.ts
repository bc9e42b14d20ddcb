import { type BrokerToken, type BrokerTokenOptions, brokerToken, sinceStart } from './broker-token.ts';
import { type AccessToken, onTheWall } from './credential.ts';

/** Two connections of the Speech SDK within this time: the service has turned the first away. */
const AGAIN_MS = 5_000;
/** A token that is newer than this is not blamed for it. */
const NEW_MS = 30_000;

/**
 * What `SpeechConfig.fromEndpoint` takes. The Speech SDK asks it at each connect, so that a recognizer that lives
 * longer than its token goes on with the next one. It gives an Entra token the form in which Speech wants it.
 *
 * The SDK does not tell a credential that the service refused its token (its key was withdrawn): it connects again at
 * once, a few times. Asked again so soon, this has another token than one that it has held for a while.
 *
 * @example
 * ```ts
 * import { EnvironmentCredential } from '@azure/identity';
 * import { SpeechConfig } from 'microsoft-cognitiveservices-speech-sdk';
 * import { fromCredential } from './caller.ts';
 * import { speechCredential } from './speech-credential.ts';
 *
 * const { BROKER = '', BROKER_SCOPE = '', SPEECH_ENDPOINT = '' } = process.env;
 * // The option is for the local mode alone: its Entra is no authority that Microsoft lists.
 * const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
 * const getCallerToken = fromCredential(own, BROKER_SCOPE);
 * const credential = speechCredential({ issuer: BROKER, resource: 'speech', getCallerToken });
 * const config = SpeechConfig.fromEndpoint(new URL(SPEECH_ENDPOINT), credential);
 * console.log(config ? 'ready' : 'not ready');
 * ```
 */
export function speechCredential(options: BrokerTokenOptions): {
  /** @throws BrokerError */
  getToken(scopes?: string | string[]): Promise<AccessToken>;
} {
  const get = brokerToken(options);
  const { nowMs = sinceStart } = options;
  let last: BrokerToken | undefined;
  let lastMs = 0;
  let sinceMs = 0;
  return {
    async getToken() {
      const isRefused = nowMs() - lastMs < AGAIN_MS && nowMs() - sinceMs > NEW_MS;
      const token = await get({ refused: isRefused ? last : undefined });
      lastMs = nowMs();
      if (token !== last) sinceMs = lastMs;
      last = token;
      return onTheWall({ ...token, accessToken: token.speechAuthorization ?? token.accessToken }, options);
    },
  };
}

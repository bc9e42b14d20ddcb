/**
 * What an app imports instead of holding a key: a function that always has a token for one Azure AI resource.
 * No dependencies; runs in Node and in browsers.
 *
 * @example
 * ```ts
 * import { EnvironmentCredential } from '@azure/identity';
 * import { type BrokerToken, brokerToken } from './broker-token.ts';
 *
 * const { BROKER = '', BROKER_SCOPE = '' } = process.env;
 * // The option is for the local mode alone: its Entra is no authority that Microsoft lists.
 * const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
 * const speech = brokerToken({
 *   issuer: BROKER,
 *   resource: 'speech',
 *   // After a revocation the broker asks for a newer token, by claims.
 *   getCallerToken: async (claims) =>
 *     (await own.getToken(BROKER_SCOPE, { enableCae: true, ...(claims && { claims }) })).token,
 * });
 * const call = ({ accessToken, endpoint }: BrokerToken) =>
 *   fetch(`${endpoint}/tts/cognitiveservices/voices/list`, {
 *     headers: { authorization: `Bearer ${accessToken}` },
 *   });
 *
 * const token = await speech();
 * let answer = await call(token);
 * // Its key was withdrawn, or this machine slept longer than the token lived: once more, with another.
 * if (answer.status === 401) answer = await call(await speech({ refused: token }));
 * console.log(`${answer.status} from ${token.endpoint}`);
 * ```
 */
import { BrokerError, OUTAGE } from './broker-error.ts';

/** What the function below throws, so that whoever catches it imports both from one place. */
export { BrokerError };

export interface BrokerTokenOptions {
  /** The broker's URL, as its metadata names it. A slash at its end makes no difference. */
  readonly issuer: string;
  /**
   * The app's or the user's own Entra token for the broker. Asked for at every exchange, so it should come
   * from a cache, as MSAL and @azure/identity have one: `fromCredential` and `fromMsal` (caller.ts) make it of these.
   * @param claims a claims challenge to answer, where there is one: of Conditional Access, or because the broker
   *   wants a token that was issued after a revocation. To be passed on to MSAL or @azure/identity, which then
   *   get a new token past their caches
   */
  readonly getCallerToken: (claims?: string) => Promise<string> | string;
  /** The resource's name in the broker's policy, or its endpoint's URL. */
  readonly resource: string;
  /** Absent: the first that the broker's policy allows. */
  readonly tokenKind?: 'sts' | 'entra' | 'obo';
  /** For one exchange. Default 10 s, within which the broker always answers. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
  /** Milliseconds that only move forward. Default: `performance.now`, which no change of the clock disturbs. */
  readonly nowMs?: () => number;
  /** From 0 to 1. Spreads the refreshes, and the further tries, of many processes. */
  readonly random?: () => number;
  /** How the time between two tries passes. Default: a timer. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

export interface BrokerToken {
  readonly accessToken: string;
  /** `aad#resourceId#token`, what the Speech SDK wants instead of an Entra token. */
  readonly speechAuthorization?: string | undefined;
  readonly tokenKind: 'sts' | 'entra' | 'obo';
  /** Where the token is good: an STS token at no other host. */
  readonly endpoint: string;
  readonly region: string;
  /** On the clock of `nowMs`, counted from before the exchange was sent. */
  readonly expiresAtMs: number;
  /** When the next one will be fetched; the token itself is good for longer. */
  readonly refreshAtMs: number;
}

/** As much of an `AbortSignal` as is needed, which is what @azure/abort-controller has too. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface GetOptions {
  /** A token that the resource did not accept: not handed out again from the cache. */
  readonly refused?: BrokerToken | undefined;
  /** A claims challenge: passed to `getCallerToken`, and answered by an exchange of its own. */
  readonly claims?: string | undefined;
  /** Ends the wait of this call. The exchange goes on for others who wait for it. */
  readonly signal?: Signal | null | undefined;
}
/** @throws BrokerError */
export type GetBrokerToken = (options?: GetOptions) => Promise<BrokerToken>;

/** A token with less left is not handed out: the call it is for must still arrive. */
const MINIMUM_LIFE_MS = 10_000;
/** A refresh comes up to this share of `refresh_in` earlier. */
const JITTER_SHARE = 0.1;
/** In an outage, while somebody waits: how often an exchange is tried. */
const TRIES = 3;
/** Between two of these; and between two refreshes in the background, where the broker names no time of its own. */
const LONGEST_PAUSE_SECONDS = 5;

/** Milliseconds that no change of the machine's clock disturbs. */
export const sinceStart = (): number => performance.now();

/**
 * A function that answers from its cache, fetches the next token in the background when `refresh_in` has
 * passed, and lets all who wait share one exchange. An outage shows only when the cached token has run out.
 */
export function brokerToken(options: BrokerTokenOptions): GetBrokerToken {
  const {
    nowMs = sinceStart,
    random = Math.random,
    wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  } = options;
  let held: BrokerToken | undefined;
  /** The exchange that is under way, and the challenge it answers. */
  let flight: { claims: string | undefined; token: Promise<BrokerToken> } | undefined;
  let quietUntilMs = 0;
  /** Where the broker itself named a time before which it is not to be asked. */
  let outage: unknown;

  const isGood = (refused?: BrokerToken) =>
    held && held !== refused && held.expiresAtMs - nowMs() >= MINIMUM_LIFE_MS;

  const next = (claims?: string, refused?: BrokerToken): Promise<BrokerToken> => {
    if (outage && nowMs() < quietUntilMs) return Promise.reject(outage);
    if (flight && (!claims || flight.claims === claims)) return flight.token;
    const insist = async (challenge?: string, tries = 1): Promise<BrokerToken> => {
      try {
        return await exchange(options, challenge, nowMs, random);
      } catch (error) {
        // What getCallerToken throws has none of these.
        const { code, retryAfterSeconds, claims: newer } = Object(error) as Partial<BrokerError>;
        // The caller's token was issued before a revocation, and comes from somebody's cache: once with a newer one.
        if (code === 'invalid_request' && newer && challenge === claims) return insist(newer, tries);
        if (code !== OUTAGE) throw error;
        const seconds = retryAfterSeconds ?? (1 + random()) * 2 ** (tries - 2);
        // Who can be given what is held does not wait.
        if (tries >= TRIES || seconds > LONGEST_PAUSE_SECONDS || isGood(refused)) {
          quietUntilMs = nowMs() + (retryAfterSeconds ?? LONGEST_PAUSE_SECONDS) * 1000;
          outage = retryAfterSeconds && error;
          throw error;
        }
        await wait(seconds * 1000);
        return insist(challenge, tries + 1);
      }
    };
    const token = insist(claims)
      .then((fresh) => {
        outage = undefined;
        // A refresh that began before a challenge was answered brings a token that the challenge has refused.
        if (flight === mine) held = fresh;
        return fresh;
      })
      .finally(() => {
        if (flight === mine) flight = undefined;
      });
    const mine = { claims, token };
    flight = mine;
    return token;
  };

  return ({ refused, claims, signal } = {}) =>
    new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason ?? new DOMException('', 'AbortError'));
      if (signal?.aborted) return abort();
      if (!claims && held && isGood(refused)) {
        // Who is served does not hear that it failed.
        if (nowMs() >= Math.max(held.refreshAtMs, quietUntilMs)) next().catch(() => {});
        return resolve(held);
      }
      signal?.addEventListener('abort', abort);
      next(claims, claims ? held : refused)
        .then(resolve, reject)
        .finally(() => signal?.removeEventListener('abort', abort));
    });
}

async function exchange(
  {
    issuer,
    getCallerToken,
    resource,
    tokenKind,
    timeoutMs = 10_000,
    fetch: send = fetch,
  }: BrokerTokenOptions,
  claims: string | undefined,
  nowMs: () => number,
  random: () => number,
): Promise<BrokerToken> {
  const callerToken = await getCallerToken(claims);
  const askedAtMs = nowMs();
  let response: Response | undefined;
  let refusal: object | undefined;
  let thrown: unknown;
  try {
    response = await send(new URL(issuer.replace(/\/*$/, '/oauth2/token')), {
      method: 'POST',
      // As one string, so that it has a Content-Length: the broker's host drops chunked bodies.
      body: `${new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: callerToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource,
        ...(tokenKind && { token_kind: tokenKind }),
      })}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      // Not followed: the caller's token would be sent to another address. A broker has no redirects.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer: Record<string, unknown> = Object(await response.json());
    const lifeMs = Number(answer['expires_in']) * 1000;
    if (!response.ok) refusal = typeof answer['error'] === 'string' ? answer : undefined;
    else if (answer['access_token'] && lifeMs > 0)
      // A broker has answered, which is believed.
      return {
        accessToken: answer['access_token'],
        speechAuthorization: answer['speech_authorization'],
        tokenKind: answer['token_kind'],
        endpoint: answer['endpoint'],
        region: answer['region'],
        expiresAtMs: askedAtMs + lifeMs,
        refreshAtMs:
          askedAtMs + (Number(answer['refresh_in']) * 1000 || lifeMs * 0.8) * (1 - JITTER_SHARE * random()),
      } as BrokerToken;
  } catch (error) {
    // Something else than JSON is an answer too, though not a broker's.
    if (!(error instanceof SyntaxError)) [thrown, response] = [error, undefined];
  }
  throw new BrokerError(
    response?.status ?? 0,
    refusal ?? (await import('./why.ts')).whyNot(issuer, response, thrown, timeoutMs),
    response?.headers.get('retry-after'),
  );
}

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
import { BrokerError, issuerIsNoUrl, notFromBroker, notReached, text } from './broker-error.ts';

/** What the function below throws, so that an app imports both from one place. */
export { BrokerError };

export interface BrokerTokenOptions {
  /** The broker's URL, as its metadata names it. A slash at its end makes no difference. */
  readonly issuer: string;
  /**
   * The app's or the user's own Entra token for the broker. Asked for at every exchange, so it should come
   * from a cache, as MSAL and @azure/identity have one.
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
  /** From 0 to 1. Spreads the refreshes of many processes. */
  readonly random?: () => number;
}

export interface BrokerToken {
  readonly accessToken: string;
  /** `aad#resourceId#token`, what the Speech SDK wants instead of an Entra token. */
  readonly speechAuthorization?: string;
  readonly tokenKind: 'sts' | 'entra' | 'obo';
  /** Where the token is good: an STS token at no other host. */
  readonly endpoint: string;
  readonly region: string;
  /** On the clock of `nowMs`, counted from before the exchange was sent. */
  readonly expiresAtMs: number;
  /** When the next one will be fetched; the token itself is good for longer. */
  readonly refreshAtMs: number;
}

export interface GetOptions {
  /** A token that the resource did not accept: not handed out again from the cache. */
  readonly refused?: BrokerToken;
  /** A claims challenge: passed to `getCallerToken`, and answered by an exchange of its own. */
  readonly claims?: string;
}
/** @throws BrokerError */
export type GetBrokerToken = (options?: GetOptions) => Promise<BrokerToken>;

/** A token with less left is not handed out: the call it is for must still arrive. */
const MINIMUM_LIFE_MS = 10_000;
/** After a failed refresh in the background, where the broker names no time of its own. */
const HOLD_OFF_MS = 5_000;
/** A refresh comes up to this share of `refresh_in` earlier. */
const JITTER_SHARE = 0.1;

/**
 * A function that answers from its cache, fetches the next token in the background when `refresh_in` has
 * passed, and lets all who wait share one exchange. An outage shows only when the cached token has run out.
 */
export function brokerToken(options: BrokerTokenOptions): GetBrokerToken {
  const nowMs = options.nowMs ?? (() => performance.now());
  let held: BrokerToken | undefined;
  let fetching: Promise<BrokerToken> | undefined;
  let quietUntilMs = Number.NEGATIVE_INFINITY;

  let begun = 0;
  let heldFrom = 0;

  const fetchNext = async (claims?: string): Promise<BrokerToken> => {
    begun += 1;
    const mine = begun;
    const token = await exchange(options, nowMs, claims).catch((error: unknown) => {
      // The caller's token was issued before a revocation, and comes from somebody's cache: once with a newer one.
      if (!(error instanceof BrokerError) || error.code !== 'invalid_request' || !error.claims) throw error;
      return exchange(options, nowMs, error.claims);
    });
    // A refresh that began before a challenge was answered brings a token that the challenge has refused.
    if (mine < heldFrom) return token;
    heldFrom = mine;
    held = token;
    return token;
  };
  const next = (): Promise<BrokerToken> => {
    fetching ??= fetchNext().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };

  return async ({ refused, claims } = {}) => {
    if (claims !== undefined) return fetchNext(claims);
    if (held === undefined || held === refused || held.expiresAtMs - nowMs() < MINIMUM_LIFE_MS) return next();
    if (nowMs() >= held.refreshAtMs && nowMs() >= quietUntilMs)
      next().catch((error: unknown) => {
        const seconds = error instanceof BrokerError ? error.retryAfterSeconds : undefined;
        quietUntilMs = nowMs() + (seconds === undefined ? HOLD_OFF_MS : seconds * 1000);
      });
    return held;
  };
}

async function exchange(
  { issuer, getCallerToken, resource, tokenKind, timeoutMs = 10_000, ...options }: BrokerTokenOptions,
  nowMs: () => number,
  claims: string | undefined,
): Promise<BrokerToken> {
  const callerToken = await getCallerToken(claims);
  const askedAtMs = nowMs();
  if (!URL.canParse(issuer)) throw issuerIsNoUrl();
  // Without user and password, which an address may hold and a message must not.
  const at = new URL(issuer).origin;
  const send = options.fetch ?? fetch;
  const { response, answer } = await post(send, at, `${issuer.replace(/\/+$/, '')}/oauth2/token`, timeoutMs, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: callerToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource,
    ...(tokenKind === undefined ? {} : { token_kind: tokenKind }),
  });
  if (!response.ok && text(answer['error']) !== undefined)
    throw new BrokerError(response.status, answer, response.headers.get('retry-after'));
  const accessToken = text(answer['access_token']);
  const expiresInSeconds = Number(answer['expires_in']);
  if (!response.ok || accessToken === undefined || !(expiresInSeconds > 0)) throw notFromBroker(at, response);
  const refreshInMs = Number(answer['refresh_in'] ?? expiresInSeconds * 0.8) * 1000;
  const speechAuthorization = text(answer['speech_authorization']);
  return {
    accessToken,
    ...(speechAuthorization === undefined ? {} : { speechAuthorization }),
    tokenKind: answer['token_kind'] as BrokerToken['tokenKind'],
    endpoint: text(answer['endpoint']) ?? '',
    region: text(answer['region']) ?? '',
    expiresAtMs: askedAtMs + expiresInSeconds * 1000,
    refreshAtMs: askedAtMs + refreshInMs * (1 - JITTER_SHARE * (options.random ?? Math.random)()),
  };
}

async function post(
  send: typeof fetch,
  at: string,
  url: string,
  timeoutMs: number,
  form: Record<string, string>,
): Promise<{ response: Response; answer: Record<string, unknown> }> {
  let response: Response;
  let body: string;
  try {
    response = await send(url, {
      method: 'POST',
      // As one string, so that it has a Content-Length: the broker's host drops chunked bodies.
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      // Not followed: the caller's token would be sent to another address. A broker has no redirects.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    body = await response.text();
  } catch (error) {
    throw notReached(at, error, timeoutMs);
  }
  return { response, answer: membersOf(body) };
}

/** The members of a JSON object; none where the text is anything else. */
function membersOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

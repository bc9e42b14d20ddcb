/**
 * The key-exchange token of the AI accounts: a JWT whose `alg` is an XML-signature URI that no JOSE library
 * takes, with neither `iat` nor `jti`. Only the platform can verify it. It is good only at the host that
 * issued it: what is signed names that host, and the key it was bought with.
 */
import { timingSafeEqual } from 'node:crypto';
import { STS_LIFE_MS } from '../../facts/sts.ts';
import type { Account, AccountKey } from './accounts.ts';
import type { AccountHost } from './accounts-gateway.ts';

const algorithm = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256';
const lifeSeconds = STS_LIFE_MS / 1000;

/** The documented kinds: Translator, speech to text, text to speech. Azure OpenAI and the rest take none. */
const kinds: Readonly<Record<string, (region: string) => { productId: string; scope: string; aud: string }>> =
  {
    SpeechServices: (region) => ({
      productId: 'SpeechServices.S0',
      scope: 'speechservices',
      aud: `urn:ms.speechservices.${region}`,
    }),
    TextTranslation: () => ({
      productId: 'TextTranslation.S1',
      scope: 'https://api.microsofttranslator.com/',
      aud: 'urn:ms.microsofttranslator',
    }),
  };

export function takesStsTokens(kind: string): boolean {
  return kind in kinds;
}

/** @throws RangeError for a kind of account that has no key exchange. */
export function issueStsToken(host: AccountHost, account: Account, fingerprint: string): string {
  const product = kinds[account.kind]?.(account.region);
  if (product === undefined) throw new RangeError(`${account.kind} has no key exchange`);
  const claims = {
    region: account.region,
    'subscription-id': subscriptionId(host, account),
    'product-id': product.productId,
    'cognitive-services-endpoint': 'https://api.cognitive.microsoft.com/internal/v1.0/',
    'azure-resource-id': account.accountId,
    scope: product.scope,
    aud: product.aud,
    exp: Math.floor(host.tokenClock() / 1000) + lifeSeconds,
    iss: 'urn:ms.cognitiveservices',
  };
  const signed = `${base64url({ alg: algorithm, typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${sign(host, fingerprint, signed).toString('base64url')}`;
}

/** True for a token that has this shape, whether it is good or not. */
export function looksLikeStsToken(token: string): boolean {
  return decode(token.split('.')[0])?.['alg'] === algorithm;
}

/** The fingerprint of the key a good token was bought with; `undefined` for a token not good here and now. */
export function verifyStsToken(host: AccountHost, account: Account, token: string): string | undefined {
  const [head, body, signature, ...rest] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0)
    return undefined;
  if (!looksLikeStsToken(token)) return undefined;
  const given = Buffer.from(signature, 'base64url');
  // The newest first: it is almost always one of these.
  const boughtWith = account.keys.findLast((key) => {
    const expected = sign(host, key.fingerprint, `${head}.${body}`);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  const exp = decode(body)?.['exp'];
  if (boughtWith === undefined || typeof exp !== 'number' || host.tokenClock() >= exp * 1000)
    return undefined;
  if (account.settings.tokensEndWithKey && isForgotten(boughtWith, host.now())) return undefined;
  return boughtWith.fingerprint;
}

function isForgotten(key: AccountKey, nowMs: number): boolean {
  return key.acceptedUntilMs !== null && nowMs >= key.acceptedUntilMs;
}

function sign(host: AccountHost, fingerprint: string, text: string): Buffer {
  return host.accounts.platformSign(`sts ${host.name} ${host.form} ${fingerprint} ${text}`);
}

/** 32 hexadecimal digits, the same for an account's life. */
function subscriptionId(host: AccountHost, account: Account): string {
  return host.accounts.platformSign(`subscription ${account.name}`).toString('hex').slice(0, 32);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // Not JSON, so not a token: the caller refuses it.
  }
}

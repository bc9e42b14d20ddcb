/** An Entra tenant of one key, made by node:crypto alone: tests bend headers and claims as no issuer would. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { SigningKey, SigningKeys } from '../../src/ports.ts';
import { HOME } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';

export const BROKER = '00000000-0000-4000-8000-0000000000aa';
export const ISSUER = `https://login.microsoftonline.com/${HOME}/v2.0`;
export const V1_ISSUER = `https://sts.windows.net/${HOME}/`;
export const KEY_ID = 'key-1';
const nowSeconds = NOW_MS / 1000;

export const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const userClaims = {
  aud: BROKER,
  iss: ISSUER,
  iat: nowSeconds - 60,
  nbf: nowSeconds - 60,
  exp: nowSeconds + 3600,
  azp: '00000000-0000-4000-8000-00000000000c',
  azpacr: '0',
  oid: '00000000-0000-4000-8000-0000000000b2',
  scp: 'Token.Exchange other',
  sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
  tid: HOME,
  uti: 'fqiBqXLPj0eQa82S-IYFAA',
  ver: '2.0',
};
const { scp: _, ...applicationOnly } = userClaims;
export const applicationClaims = { ...applicationOnly, idtyp: 'app', roles: ['Token.Exchange'] };
const { azp, ...withoutAzp } = userClaims;
export const v1Claims = { ...withoutAzp, appid: azp, ver: '1.0', iss: V1_ISSUER, aud: 'api://broker' };

export const encode = (text: string | object): string =>
  Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)).toString('base64url');

/** Signs any two texts or objects as RS256, whatever the header says. */
export function signed(
  header: string | object,
  payload: string | object,
  key: KeyObject = privateKey,
): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}
export const goodHeader = { typ: 'JWT', alg: 'RS256', kid: KEY_ID };
/** A token with these claims beside a user's own; `undefined` takes one away. */
export const token = (claims: object = {}, header: object = {}): string =>
  signed({ ...goodHeader, ...header }, { ...userClaims, ...claims });

export function hmacSigned(header: object, payload: object, secret: string | Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** The published key of the home tenant; `keyIssuer` as v2 metadata has it. Counts what is asked. */
export function publishedKeys(bend: Partial<SigningKey> = {}): SigningKeys & { readonly asked: string[] } {
  const key = publicKey.toCryptoKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']);
  const asked: string[] = [];
  return {
    asked,
    find: async (tenantId, version, keyId) => {
      asked.push(`${tenantId} ${version} ${keyId}`);
      if (tenantId !== HOME || keyId !== KEY_ID) return undefined;
      const keyIssuer = version === '2.0' ? 'https://login.microsoftonline.com/{tenantid}/v2.0' : undefined;
      return { key, issuer: version === '2.0' ? ISSUER : V1_ISSUER, keyIssuer, ...bend };
    },
  };
}

/** Callers' tokens for the servers that the broker is compared with: RS256, of an Entra token's size. */
import { generateKeyPair, SignJWT } from 'jose';
import { DISTINCT_CALLERS } from './load.ts';

export const AUDIENCE = 'broker';
export const ISSUER = 'https://localhost/issuer';
export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** The form body of one exchange for each caller, and the key that verifies their tokens. */
export async function createSubjectTokens(more: Record<string, string> = {}) {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const tokens = Array.from({ length: DISTINCT_CALLERS }, () =>
    new SignJWT({
      azp: crypto.randomUUID(),
      oid: crypto.randomUUID(),
      sub: crypto.randomUUID(),
      tid: crypto.randomUUID(),
      uti: crypto.randomUUID(),
      ver: '2.0',
      idtyp: 'app',
      roles: ['Token.Exchange'],
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'one' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('1h')
      .sign(privateKey),
  );
  const bodies = (await Promise.all(tokens)).map((token) =>
    new URLSearchParams({
      grant_type: GRANT_TYPE,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: 'speech',
      ...more,
    }).toString(),
  );
  return { publicKey, bodies };
}

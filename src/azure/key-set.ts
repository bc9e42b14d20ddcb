/** A JSON Web Key Set (RFC 7517) as its keys are needed here: RSA, for signatures, each with an id. */
import { importJWK } from 'jose';
import * as z from 'zod';
import type { PublicKey } from '../ports.ts';
import { UpstreamFailure, type UpstreamService } from '../upstream.ts';

export const keySetShape = z.object({
  keys: z.array(
    z.looseObject({
      kty: z.string(),
      kid: z.string().optional(),
      use: z.string().optional(),
      /** Entra's own member, on keys of a version 2.0 key set. */
      issuer: z.string().optional(),
    }),
  ),
});
export interface RsaKey {
  readonly keyId: string;
  readonly key: PublicKey;
  readonly issuer: string | undefined;
}

/**
 * @param minModulusBits shorter keys are left out, and so is what is no RSA key for signatures or has no id
 * @throws UpstreamFailure where a key cannot be read
 */
export function rsaKeys(
  service: UpstreamService,
  { keys }: z.infer<typeof keySetShape>,
  minModulusBits = 0,
): Promise<readonly RsaKey[]> {
  return Promise.all(
    keys.flatMap(({ kty, use, kid, issuer, n, e }) => {
      if (kty !== 'RSA' || (use ?? 'sig') !== 'sig' || kid === undefined) return [];
      if (typeof n !== 'string' || typeof e !== 'string') return [];
      if (Buffer.from(n, 'base64url').length * 8 < minModulusBits) return [];
      return [importRsaKey(service, n, e).then((key) => ({ keyId: kid, key, issuer }))];
    }),
  );
}

async function importRsaKey(service: UpstreamService, n: string, e: string): Promise<PublicKey> {
  const key = await importJWK({ kty: 'RSA', n, e }, 'RS256');
  if (key instanceof Uint8Array) throw new UpstreamFailure(service, 'a key is not a public key');
  return key;
}

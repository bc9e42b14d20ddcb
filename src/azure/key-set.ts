/** Reads from a JSON Web Key Set (RFC 7517) the keys that this code uses: RSA, for signatures, with an id. */
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
      /** A member that only Entra has, in key sets of version 2.0. */
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
 * Leaves out keys that are not RSA, not for signatures or without an id.
 * @param minModulusBits shorter keys are left out too
 * @throws UpstreamFailure when a key cannot be read
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

/** How the simulated services check an Entra token that is shown to them. */
import type { Directory } from './directory.ts';
import type { EntraKeys, Members } from './entra-keys.ts';
import { issuerOf } from './entra-tokens.ts';
import type { Authenticate } from './roles.ts';

export type TokenFault = 'malformed' | 'signature' | 'issuer' | 'audience' | 'expired';
export type Verified = { readonly claims: Members } | { readonly fault: TokenFault };
/** Signature, issuer, times and audience; a trailing slash of the audience does not count. */
export type VerifyAccessToken = (token: string, audiences: readonly string[]) => Verified;

export interface VerifyOptions {
  readonly keys: EntraKeys;
  readonly directory: Directory;
  authority(): string;
  readonly now: () => number;
}

export function createVerifyAccessToken(options: VerifyOptions): VerifyAccessToken {
  return (token, audiences) => {
    const parsed = parse(token);
    if (!parsed) return { fault: 'malformed' };
    const { header, claims, signed, signature } = parsed;
    if (header['alg'] !== 'RS256' || !options.keys.verifies(String(header['kid']), signed, signature)) {
      return { fault: 'signature' };
    }
    const tenantId = String(claims['tid']);
    const issuer = issuerOf(options.authority(), tenantId, claims['ver'] === '2.0' ? 2 : 1);
    if (!options.directory.tenantIds.includes(tenantId) || claims['iss'] !== issuer)
      return { fault: 'issuer' };
    const nowSeconds = options.now() / 1000;
    if (!(Number(claims['exp']) > nowSeconds) || !(Number(claims['nbf']) <= nowSeconds + 300)) {
      return { fault: 'expired' };
    }
    const audience = bare(String(claims['aud']));
    return audiences.some((one) => bare(one) === audience) ? { claims } : { fault: 'audience' };
  };
}

/** Whom a token speaks for, in the home tenant only: no other tenant has a role on its resources. */
export function createAuthenticate(verify: VerifyAccessToken, homeTenantId: string): Authenticate {
  return async (token, audiences) => {
    const verified = verify(token, audiences);
    if ('fault' in verified || verified.claims['tid'] !== homeTenantId) return undefined;
    const { claims } = verified;
    return {
      tenantId: homeTenantId,
      objectId: String(claims['oid']),
      clientId: String(claims['appid'] ?? claims['azp']),
    };
  };
}

function bare(audience: string): string {
  return audience.replace(/\/$/, '').toLowerCase();
}

function parse(
  token: string,
): { header: Members; claims: Members; signed: string; signature: Buffer } | undefined {
  const [head, body, signature, ...rest] = token.split('.');
  if (!head || !body || !signature || rest.length > 0) return undefined;
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString());
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
    if (!isMembers(header) || !isMembers(claims)) return undefined;
    return { header, claims, signed: `${head}.${body}`, signature: Buffer.from(signature, 'base64url') };
  } catch {
    return undefined; // Not JSON: no token.
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

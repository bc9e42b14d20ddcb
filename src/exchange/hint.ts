/**
 * Chooses what a refused caller is told about its token. Anybody can make up a token and read the answer, so the
 * answer must not tell more than the maker of the token knows: a forged token gets the same words as a genuine one
 * with the same claims. Whether a key is known, a signature is right or a tenant is in the policy never shows.
 * What is told beside the token's own claims is public: the time, and the broker's client id and home tenant, which
 * anybody can ask Entra about.
 */
import { MAX_CALLER_TOKEN_CHARACTERS } from '../body-limits.ts';
import { openJws } from '../jws.ts';
import type { Clock } from '../ports.ts';
import type { TokenHint } from '../token-hint.ts';

export interface HintOptions {
  readonly clock: Clock;
  readonly clientId: string;
  readonly audienceUris: readonly string[];
  readonly homeTenantId: string;
}

/** @param token a token that was refused, for whatever reason */
export function hintFor(options: HintOptions, token: string): TokenHint {
  if (token.length > MAX_CALLER_TOKEN_CHARACTERS) return 'unexplained';
  const jws = openJws(token);
  if (jws === 'malformed') return 'unreadable';
  const { aud, exp, tid, ver } = jws.payload;
  // A new token for the wrong audience, or of the wrong tenant, would not help. So the audience comes first.
  if (typeof aud === 'string' && !audiencesOf(options, ver).includes(aud))
    return { kind: 'audience', wanted: options.clientId };
  if (typeof exp === 'number' && exp * 1000 <= options.clock()) return 'expired';
  if (typeof tid === 'string' && tid !== options.homeTenantId) return 'other_tenant';
  return 'unexplained';
}

/** Tokens of version 1.0 may name the App ID URI. For every version the client id is right. */
export function audiencesOf(
  { clientId, audienceUris }: Pick<HintOptions, 'clientId' | 'audienceUris'>,
  version: unknown,
): string[] {
  return version === '1.0' ? [clientId, ...audienceUris.flatMap((uri) => [uri, `${uri}/`])] : [clientId];
}

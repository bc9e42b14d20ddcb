import type { Clock } from '../ports.ts';
import { Lru } from './lru.ts';
import type { VerifyCaller } from './verify.ts';

/** A key that Entra withdraws is noticed at the next hourly refresh and, for tokens already seen, this much later. */
const TRUSTED_FOR_MS = 300_000;
const MAX_TOKENS = 5_000;

/**
 * Remembers the tokens it has verified, so that a caller who exchanges often costs one signature check in
 * five minutes. Only acceptances are kept, under the whole text; a token's own end is looked at every time,
 * and revocation is none of this cache's business: the exchange decides that afresh.
 */
export function rememberVerified(verify: VerifyCaller, clock: Clock): VerifyCaller {
  const seen = new Lru<{ readonly caller: Awaited<ReturnType<VerifyCaller>>; readonly untilMs: number }>(
    MAX_TOKENS,
  );
  return async (token) => {
    const known = seen.get(token);
    if (known !== undefined && clock() < known.untilMs) return known.caller;
    seen.delete(token);
    const startedAtMs = clock();
    const caller = await verify(token);
    if (!('objectId' in caller)) return caller;
    seen.set(token, {
      caller,
      untilMs: Math.min(startedAtMs + TRUSTED_FOR_MS, caller.expiresAtSeconds * 1000),
    });
    return caller;
  };
}

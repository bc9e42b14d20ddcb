import type { Caller, Clock } from '../ports.ts';
import { Secret, sha256 } from '../secret.ts';
import { Lru } from './lru.ts';
import type { VerifyCaller } from './verify.ts';

/** A key that Entra withdraws is noticed at the next hourly refresh and, for tokens already seen, this much later. */
const TRUSTED_FOR_MS = 300_000;
/** Some 40,000 callers with a handful of groups each, or 2,700 with 200. */
const MAX_BYTES = 32 * 1024 * 1024;

interface Seen {
  readonly caller: Omit<Caller, 'token'>;
  readonly untilMs: number;
  readonly bytes: number;
}

/**
 * Remembers the callers it has verified, so that one who exchanges often costs one signature check in five
 * minutes. Only acceptances are kept, under the token's SHA-256 and without the token, which is ten times as large
 * as the rest; a token's own end is looked at every time, and revocation is none of this cache's business: the
 * exchange decides that afresh.
 */
export function rememberVerified(verify: VerifyCaller, clock: Clock, maxBytes = MAX_BYTES): VerifyCaller {
  const seen = new Lru<Seen>(maxBytes, ({ bytes }) => bytes);
  return async (token) => {
    const key = sha256(token);
    const known = seen.get(key);
    if (known !== undefined && clock() < known.untilMs) return { ...known.caller, token: new Secret(token) };
    seen.delete(key);
    const startedAtMs = clock();
    const answer = await verify(token);
    if (!('objectId' in answer)) return answer;
    const { token: _, ...caller } = answer;
    const untilMs = Math.min(startedAtMs + TRUSTED_FOR_MS, caller.expiresAtSeconds * 1000);
    seen.set(key, { caller, untilMs, bytes: bytesOf(caller) });
    return answer;
  };
}

/** In V8 a caller with its entry takes this much, and each text of a list its characters and this much. */
const CALLER_BYTES = 800;
const TEXT_BYTES = 24;

function bytesOf({ groups, appRoles, scopes }: Seen['caller']): number {
  const texts = [...groups, ...appRoles, ...scopes];
  return texts.reduce((sum, text) => sum + text.length + TEXT_BYTES, CALLER_BYTES);
}

import { Lru } from '../lru.ts';
import type { Caller, Clock } from '../ports.ts';
import { Secret, sha256 } from '../secret.ts';
import type { VerifyCaller } from './verify.ts';

/**
 * Entra's keys are refreshed every hour. When Entra withdraws a key, a token that was verified before may still be
 * accepted for this long after the refresh.
 */
const TRUSTED_FOR_MS = 300_000;
/** Some 40,000 callers with a handful of groups each, or 2,700 with 200. */
const MAX_BYTES = 32 * 1024 * 1024;

interface Seen {
  readonly caller: Omit<Caller, 'token'>;
  readonly untilMs: number;
  readonly bytes: number;
}

/**
 * Caches verified callers, so that a caller who exchanges often costs one signature check in five minutes. Only
 * accepted tokens are cached, under their SHA-256 and without their text, which is ten times as large as the rest.
 * The token's expiry is checked at every exchange, and so are the revocations, which this cache knows nothing of.
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

/** In V8 a cached caller takes so many bytes, and each text in its lists so many beside its characters. */
const CALLER_BYTES = 800;
const TEXT_BYTES = 24;

function bytesOf({ groups, appRoles, scopes }: Seen['caller']): number {
  const texts = [...groups, ...appRoles, ...scopes];
  return texts.reduce((sum, text) => sum + text.length + TEXT_BYTES, CALLER_BYTES);
}

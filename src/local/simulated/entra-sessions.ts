/** Who is signed in at a browser, and what a single-page app may redeem: sessions, codes, refresh tokens. In memory. */
import { createHash, randomBytes } from 'node:crypto';
import type { Directory, User } from './directory.ts';

/** A code is good for ten minutes and once; a single-page app's refresh token for a day, however it was got. */
const CODE_LIFE_MS = 600_000;
const REFRESH_LIFE_MS = 86_400_000;

export interface Granted {
  /** In the directory. */
  readonly userName: string;
  readonly clientId: string;
  readonly scope: string;
  /** When the person signed in: sessions that are ended later end this too. */
  readonly signedInAtMs: number;
}
export interface Asked extends Granted {
  readonly redirectUri: string;
  /** BASE64URL(SHA-256(code_verifier)) */
  readonly challenge: string;
}

export interface EntraSessions {
  /** Returns the session's id. */
  signIn(userName: string): string;
  signOut(id: string): void;
  /** Whose session it is, if the person may still sign in. */
  user(id: string): { readonly user: User; readonly signedInAtMs: number } | undefined;
  code(asked: Asked): string;
  /** Whatever comes of it, a code is used up. */
  redeem(code: string, verifier: string): Asked | 'unknown' | 'expired' | 'verifier';
  refreshToken(granted: Granted): string;
  refresh(token: string): Granted | 'unknown' | 'expired' | 'revoked';
}

interface Dated<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

export function createEntraSessions(directory: Directory, now: () => number): EntraSessions {
  const sessions = new Map<string, { readonly userName: string; readonly signedInAtMs: number }>();
  const codes = new Map<string, Dated<Asked>>();
  const refreshTokens = new Map<string, Dated<Granted>>();
  const keep = <Value>(map: Map<string, Dated<Value>>, value: Value, lifeMs: number): string => {
    const id = randomBytes(32).toString('base64url');
    map.set(id, { value, untilMs: now() + lifeMs });
    return id;
  };
  const stillIn = (userName: string, signedInAtMs: number): User | undefined => {
    const user = directory.user(userName);
    if (!user?.accountEnabled || user.deleted) return undefined;
    return signedInAtMs < Date.parse(user.signInSessionsValidFromDateTime) ? undefined : user;
  };
  return {
    signIn(userName) {
      const id = randomBytes(32).toString('base64url');
      sessions.set(id, { userName, signedInAtMs: now() });
      return id;
    },
    signOut: (id) => void sessions.delete(id),
    user(id) {
      const session = sessions.get(id);
      const user = session && stillIn(session.userName, session.signedInAtMs);
      return user && session && { user, signedInAtMs: session.signedInAtMs };
    },
    code: (asked) => keep(codes, asked, CODE_LIFE_MS),
    redeem(code, verifier) {
      const found = codes.get(code);
      codes.delete(code);
      if (found === undefined) return 'unknown';
      if (found.untilMs < now()) return 'expired';
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      return challenge === found.value.challenge ? found.value : 'verifier';
    },
    refreshToken: (granted) => keep(refreshTokens, granted, REFRESH_LIFE_MS),
    refresh(token) {
      const found = refreshTokens.get(token);
      if (found === undefined) return 'unknown';
      if (found.untilMs < now()) return 'expired';
      const { userName, signedInAtMs } = found.value;
      return stillIn(userName, signedInAtMs) === undefined ? 'revoked' : found.value;
    },
  };
}

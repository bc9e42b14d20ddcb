/** The token of who is signed in, new when it is needed, and what it tells of the person. In memory only. */
import type { Problem } from './api.ts';
import type { Tokens } from './oauth.ts';

export interface Person {
  readonly name: string;
  /** Whether to offer acts. The broker decides. */
  readonly mayAct: boolean;
}
export interface Session {
  readonly person: Person;
  /** @param refused this one was not accepted: another is got */
  token(refused?: string): Promise<string | Problem>;
}

/** A token is renewed this long before its end. */
const EARLY_MS = 60_000;
const ENDED: Problem = {
  kind: 'problem',
  status: 401,
  detail: 'Your sign-in has ended. Load the page again to sign in anew.',
};

export function createSession(
  first: Tokens,
  refresh: (token: string) => Promise<Tokens | undefined>,
  now: () => number,
): Session {
  let tokens = first;
  let renewing: Promise<string | Problem> | undefined;
  async function renew(): Promise<string | Problem> {
    const renewed = tokens.refresh === undefined ? undefined : await refresh(tokens.refresh);
    if (renewed === undefined) return ENDED;
    tokens = { ...renewed, refresh: renewed.refresh ?? tokens.refresh };
    return tokens.access;
  }
  return {
    person: personOf(first.access),
    token(refused) {
      const { access } = tokens;
      const isDue = refused === undefined ? expiryOf(access) - EARLY_MS <= now() : refused === access;
      if (!isDue) return Promise.resolve(access);
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
  };
}

/** The token is the broker's to judge. The console reads in it what it greets somebody with. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const text = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(text), (char) => char.codePointAt(0) ?? 0);
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}
const expiryOf = (token: string): number => {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
};
function personOf(token: string): Person {
  const { name, preferred_username: username, roles } = claimsOf(token);
  const said = [name, username].find((text) => typeof text === 'string');
  return {
    name: typeof said === 'string' ? said : 'Signed in',
    mayAct: Array.isArray(roles) && roles.includes('Broker.Operator'),
  };
}

/**
 * Authorization code with PKCE for a public client of one authority (RFC 6749 section 4.1, RFC 7636), as far as a
 * single-page app of Entra needs it. A library for all of OAuth would be a sixth of what the page may weigh.
 */
export interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
}
/** Entra's own words for why not. They are shown as text. */
export interface NoTokens {
  readonly kind: 'no_tokens';
  readonly why: string;
}

/** 256 bits, as text that needs no escaping in a URL. */
export function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

export async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCodePoint(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export type Answer =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'error'; readonly error: string; readonly why: string };

/** @returns undefined: this is no answer to what was asked with that state, whoever sent it */
export function readAnswer(answer: URLSearchParams, state: string): Answer | undefined {
  for (const name of new Set(answer.keys())) if (answer.getAll(name).length > 1) return undefined;
  if (state === '' || answer.get('state') !== state) return undefined;
  const error = answer.get('error');
  if (error !== null) return { kind: 'error', error, why: answer.get('error_description') ?? error };
  const code = answer.get('code');
  return code ? { kind: 'code', code } : undefined;
}

const TIMEOUT_MS = 30_000;

/** @param send the browser's fetch */
export async function askTokens(
  send: (url: string, init: RequestInit) => Promise<Response>,
  endpoint: string,
  form: Readonly<Record<string, string>>,
): Promise<Tokens | NoTokens> {
  try {
    const answer = await send(endpoint, {
      method: 'POST',
      body: new URLSearchParams(form),
      credentials: 'omit',
      redirect: 'error',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const {
      token_type: type,
      access_token: access,
      refresh_token: refresh,
      error_description: why,
    } = (await answer.json()) as Readonly<Record<string, unknown>>;
    if (answer.ok && typeof access === 'string' && String(type).toLowerCase() === 'bearer')
      return { access, refresh: typeof refresh === 'string' ? refresh : undefined };
    return { kind: 'no_tokens', why: typeof why === 'string' ? why : 'Entra gave no token.' };
  } catch {
    return { kind: 'no_tokens', why: 'Entra did not answer.' };
  }
}

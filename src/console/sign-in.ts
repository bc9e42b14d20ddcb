/**
 * Sign-in by redirect: authorization code with PKCE. The tokens are held by this page's memory alone, so a reload signs
 * in again, silently while the person has a session at Entra. What has to outlast the redirect (state, verifier, the
 * place to return to) is in sessionStorage until the answer comes, and then deleted, whatever the answer is.
 */
import * as oauth from 'oauth4webapi';

export interface Settings {
  readonly clientId: string;
  readonly authority: string;
  readonly tenantId: string;
  readonly scope: string;
}
export interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
}
export type Outcome =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  /** Nobody is signed in at Entra, or Entra wants to ask something. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'failed'; readonly why: string };

interface Pending {
  readonly state: string;
  readonly verifier: string;
  /** Only ever a fragment of this page. */
  readonly place: string;
  readonly silent: boolean;
}
const KEY = 'sign-in';

export function createSignIn(settings: Settings) {
  const base = `${settings.authority}/${encodeURIComponent(settings.tenantId)}`;
  const server: oauth.AuthorizationServer = {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
  };
  const client: oauth.Client = { client_id: settings.clientId };
  const redirectUri = `${location.origin}/console`;
  /** The simulated Entra of the local mode speaks http, on loopback. */
  const options = {
    [oauth.allowInsecureRequests]: /^http:\/\/(127\.0\.0\.1|localhost)(:|\/|$)/.test(settings.authority),
    signal: () => AbortSignal.timeout(30_000),
  };

  async function begin(silent: boolean): Promise<void> {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const pending: Pending = { state, verifier, place: location.hash, silent };
    sessionStorage.setItem(KEY, JSON.stringify(pending));
    const asked = new URLSearchParams({
      client_id: settings.clientId,
      response_type: 'code',
      // Into the fragment, which no server and no referrer gets.
      response_mode: 'fragment',
      redirect_uri: redirectUri,
      scope: `${settings.scope} offline_access`,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      prompt: silent ? 'none' : 'select_account',
    });
    location.replace(`${server.authorization_endpoint}?${asked}`);
  }

  /** @returns undefined where the page was not opened by an answer of Entra's */
  async function finish(): Promise<Outcome | undefined> {
    const answer = new URLSearchParams(location.hash.slice(1));
    if (!answer.has('state') || !(answer.has('code') || answer.has('error'))) return undefined;
    const pending = takePending();
    // The code leaves the address and the history before anything else happens.
    history.replaceState(null, '', `/console${pending?.place ?? ''}`);
    if (pending === undefined) return { kind: 'failed', why: 'This page had asked for no sign-in.' };
    try {
      const parameters = oauth.validateAuthResponse(server, client, answer, pending.state);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        parameters,
        redirectUri,
        pending.verifier,
        options,
      );
      const read = await oauth.processAuthorizationCodeResponse(server, client, response);
      return { kind: 'tokens', tokens: tokensOf(read) };
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError && pending.silent) return { kind: 'ask' };
      return { kind: 'failed', why: whyOf(error) };
    }
  }

  async function refresh(token: string): Promise<Tokens | undefined> {
    try {
      const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, {
        ...options,
        additionalParameters: { scope: `${settings.scope} offline_access` },
      });
      return tokensOf(await oauth.processRefreshTokenResponse(server, client, response));
    } catch {
      // Whatever it was, the person signs in again, which says what is wrong.
      return undefined;
    }
  }

  function leave(): void {
    const asked = new URLSearchParams({ post_logout_redirect_uri: redirectUri });
    location.replace(`${base}/oauth2/v2.0/logout?${asked}`);
  }
  return { begin, finish, refresh, leave };
}

const tokensOf = ({ access_token: access, refresh_token: refresh }: oauth.TokenEndpointResponse): Tokens => ({
  access,
  refresh,
});

function takePending(): Pending | undefined {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Pending);
}

/** Entra's own words where it has some. They are shown as text, and never a token or a code. */
function whyOf(error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError)
    return error.error_description ?? error.error;
  return error instanceof oauth.OperationProcessingError
    ? 'The answer of Entra does not belong to the sign-in that this page began.'
    : 'Entra did not answer.';
}

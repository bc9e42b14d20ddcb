/**
 * Sign-in by redirect. The tokens are held by this page's memory alone, so a reload signs in again, silently while the
 * person has a session at Entra. What has to outlast the redirect (state, verifier, the place to return to) is in
 * sessionStorage until the answer comes, and then deleted, whatever the answer is.
 */
import { askTokens, challengeOf, type NoTokens, randomText, readAnswer, type Tokens } from './oauth.ts';

export interface Settings {
  readonly clientId: string;
  readonly authority: string;
  readonly tenantId: string;
  readonly scope: string;
}
/** `ask`: nobody is signed in at Entra, or Entra wants to ask something. */
export type Outcome = Tokens | NoTokens | 'ask';

interface Pending {
  readonly state: string;
  readonly verifier: string;
  /** Only ever a fragment of this page. */
  readonly place: string;
  readonly silent: boolean;
}
const KEY = 'sign-in';

export function createSignIn(settings: Settings) {
  const endpoint = `${settings.authority}/${encodeURIComponent(settings.tenantId)}/oauth2/v2.0`;
  const redirectUri = `${location.origin}/console`;
  const ofClient = { client_id: settings.clientId, scope: `${settings.scope} offline_access` };
  const redeem = (form: Readonly<Record<string, string>>) =>
    askTokens((url, init) => fetch(url, init), `${endpoint}/token`, { ...ofClient, ...form });

  async function begin(silent: boolean): Promise<void> {
    const pending: Pending = {
      state: randomText(),
      verifier: randomText(),
      place: location.hash,
      silent,
    };
    sessionStorage.setItem(KEY, JSON.stringify(pending));
    const asked = new URLSearchParams({
      ...ofClient,
      response_type: 'code',
      // Into the fragment, which no server and no referrer gets.
      response_mode: 'fragment',
      redirect_uri: redirectUri,
      state: pending.state,
      code_challenge: await challengeOf(pending.verifier),
      code_challenge_method: 'S256',
      prompt: silent ? 'none' : 'select_account',
    });
    location.replace(`${endpoint}/authorize?${asked}`);
  }

  /** @returns undefined where the page was not opened by an answer of Entra's */
  async function finish(): Promise<Outcome | undefined> {
    const given = new URLSearchParams(location.hash.slice(1));
    if (!given.has('code') && !given.has('error')) return undefined;
    const pending = takePending();
    // The code leaves the address and the history before anything else happens.
    history.replaceState(null, '', `/console${pending?.place ?? ''}`);
    const answer = pending && readAnswer(given, pending.state);
    if (pending === undefined || answer === undefined)
      return { kind: 'no_tokens', why: 'This answer does not belong to a sign-in that this page began.' };
    if (answer.kind === 'error') return pending.silent ? 'ask' : { kind: 'no_tokens', why: answer.why };
    return redeem({
      grant_type: 'authorization_code',
      code: answer.code,
      redirect_uri: redirectUri,
      code_verifier: pending.verifier,
    });
  }

  async function refresh(token: string): Promise<Tokens | undefined> {
    const tokens = await redeem({ grant_type: 'refresh_token', refresh_token: token });
    // Whatever it was, the person signs in again, which says what is wrong.
    return 'kind' in tokens ? undefined : tokens;
  }

  function leave(): void {
    const asked = new URLSearchParams({ post_logout_redirect_uri: redirectUri });
    location.replace(`${endpoint}/logout?${asked}`);
  }
  return { begin, finish, refresh, leave };
}

function takePending(): Pending | undefined {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Pending);
}

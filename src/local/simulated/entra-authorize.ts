/**
 * The authorization endpoint for single-page apps: authorization code with PKCE, and silent sign-in.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
import type { Application, Directory, User } from './directory.ts';
import { signedOutPage, signInPage, wrongPage } from './entra-page.ts';
import type { EntraSessions } from './entra-sessions.ts';
import { audienceOf } from './entra-tokens.ts';
import type { Call, Outcome } from './service.ts';

export interface AuthorizeOptions {
  readonly directory: Directory;
  readonly sessions: EntraSessions;
  /** Of the single-page app: exact, as in its registration. */
  redirectUris(): readonly string[];
}

/** Who has something to do in a browser: the demo's other people call the broker from a terminal. */
const mayOpen = ({ appRoles = [], accountEnabled, deleted }: User): boolean =>
  accountEnabled && !deleted && appRoles.some((role) => role.startsWith('Broker.'));

export function createAuthorize({ directory, sessions, redirectUris }: AuthorizeOptions) {
  function authorize(call: Call, tenant: string): Outcome {
    const { searchParams: asked } = call.url;
    const app = directory.application(tenant, asked.get('client_id') ?? '');
    if (!app?.isSinglePage)
      return wrongPage(
        'AADSTS700016: Application with this identifier was not found in the directory, or does not sign people in.',
      );
    const redirectUri = asked.get('redirect_uri') ?? '';
    if (!redirectUris().includes(redirectUri))
      return wrongPage(
        'AADSTS50011: The redirect URI specified in the request does not match the redirect URIs configured for the application.',
      );
    const answer = (members: Readonly<Record<string, string>>) => redirect(redirectUri, asked, members);
    const fault = faultOf(asked);
    if (fault !== undefined) return answer(fault);
    if (call.method === 'POST') return signIn(call, app, answer);

    const session = sessions.user(sessionId(call));
    const silent = asked.get('prompt') === 'none';
    if (session !== undefined && (silent || asked.get('prompt') === null))
      return answer({ code: codeOf(asked, app, session.user.name, session.signedInAtMs) });
    if (silent)
      return answer({
        error: 'login_required',
        error_description:
          'AADSTS50058: A silent sign-in request was sent but no user is signed in. The cookies used to represent the user’s session were not sent in the request to Entra.',
      });
    return signInPage(
      directory.users.filter((user) => user.tenantId === tenant && mayOpen(user)),
      app.name,
    );
  }

  function signIn(call: Call, app: Application, answer: (members: { code: string }) => Outcome): Outcome {
    // Another site must not sign somebody in here as a person of its choice.
    if (call.headers['origin'] !== call.url.origin)
      return wrongPage('AADSTS165000: Invalid Request: the form was not sent from this page.');
    const name = new URLSearchParams(call.body).get('person') ?? '';
    const user = directory.user(name);
    if (user === undefined || user.tenantId !== app.tenantId || !mayOpen(user))
      return wrongPage('AADSTS50034: The user account does not exist in the directory.');
    const id = sessions.signIn(name);
    const { searchParams: asked } = call.url;
    const code = codeOf(asked, app, name, sessions.user(id)?.signedInAtMs ?? 0);
    const outcome = answer({ code });
    return { ...outcome, headers: { ...outcome.headers, 'set-cookie': cookie(call, id) } };
  }

  const codeOf = (asked: URLSearchParams, app: Application, userName: string, signedInAtMs: number): string =>
    sessions.code({
      userName,
      signedInAtMs,
      clientId: app.clientId,
      scope: asked.get('scope') ?? '',
      redirectUri: asked.get('redirect_uri') ?? '',
      challenge: asked.get('code_challenge') ?? '',
    });

  function signOut(call: Call): Outcome {
    sessions.signOut(sessionId(call));
    const back = call.url.searchParams.get('post_logout_redirect_uri') ?? '';
    const outcome = redirectUris().includes(back)
      ? { status: 302, headers: { location: back } }
      : signedOutPage();
    return { ...outcome, headers: { ...outcome.headers, 'set-cookie': `${cookie(call, '')}; Max-Age=0` } };
  }
  return { authorize, signOut };
}

function faultOf(asked: URLSearchParams): Readonly<Record<string, string>> | undefined {
  const invalid = (description: string) => ({ error: 'invalid_request', error_description: description });
  if (asked.get('response_type') !== 'code')
    return {
      error: 'unsupported_response_type',
      error_description: 'AADSTS700051: response_type is not enabled.',
    };
  if (audienceOf(asked.get('scope') ?? '') === undefined)
    return invalid('AADSTS900144: The request body must contain the following parameter: ‘scope’.');
  if (!asked.get('code_challenge') || asked.get('code_challenge_method') !== 'S256')
    return invalid('AADSTS9002325: Proof Key for Code Exchange is required for cross-origin redemption.');
  return undefined;
}

function redirect(to: string, asked: URLSearchParams, members: Readonly<Record<string, string>>): Outcome {
  const state = asked.get('state');
  const answer = new URLSearchParams({ ...members, ...(state !== null && { state }) });
  const mark = asked.get('response_mode') === 'fragment' ? '#' : '?';
  // 303, so that the answer to the form is fetched without it.
  return { status: 303, headers: { location: `${to}${mark}${answer}`, 'cache-control': 'no-store' } };
}

/** Cookies do not know of ports, and another local mode may run on this machine. */
const cookieName = ({ url }: Call): string => `entra-session-${url.port}`;
const cookie = (call: Call, id: string): string =>
  `${cookieName(call)}=${id}; Path=/; HttpOnly; SameSite=Lax`;

function sessionId(call: Call): string {
  const prefix = `${cookieName(call)}=`;
  const found = (call.headers['cookie'] ?? '').split('; ').find((one) => one.startsWith(prefix));
  return found?.slice(prefix.length) ?? '';
}

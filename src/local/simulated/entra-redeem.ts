/** What a single-page app redeems at the token endpoint, from its own origin only: a code, then refresh tokens. */
import type { Application, Directory, User } from './directory.ts';
import { missing } from './entra-client.ts';
import { type EntraRefusal, refusal } from './entra-errors.ts';
import type { EntraSessions, Granted } from './entra-sessions.ts';
import type { Call } from './service.ts';

export interface RedeemOptions {
  readonly directory: Directory;
  readonly sessions: EntraSessions;
  redirectUris(): readonly string[];
}
export interface Redeemed {
  readonly app: Application;
  readonly user: User;
  readonly scope: string;
  readonly refreshToken: string;
}
export const REDEEMED = ['authorization_code', 'refresh_token'] as const;

export function createRedeem({ directory, sessions, redirectUris }: RedeemOptions) {
  const granted = (form: URLSearchParams, clientId: string): Granted | EntraRefusal => {
    const isCode = form.get('grant_type') === 'authorization_code';
    const given = form.get(isCode ? 'code' : 'refresh_token');
    if (!given) return missing(isCode ? 'code' : 'refresh_token');
    const verifier = form.get('code_verifier');
    if (isCode && !verifier) return missing('code_verifier');
    const found = isCode ? sessions.redeem(given, verifier ?? '') : sessions.refresh(given);
    if (typeof found === 'string') return FAULTS[found];
    const isOther = 'redirectUri' in found && found.redirectUri !== form.get('redirect_uri');
    return found.clientId !== clientId || isOther ? FAULTS.unknown : found;
  };

  return {
    /** The origin that may read the answer: that of the app's own pages. */
    origin({ headers }: Call): string | undefined {
      const { origin } = headers;
      return redirectUris().some((uri) => new URL(uri).origin === origin) ? origin : undefined;
    },
    redeem(call: Call, form: URLSearchParams, tenantId: string): Redeemed | EntraRefusal {
      const app = directory.application(tenantId, form.get('client_id') ?? '');
      if (!app?.isSinglePage)
        return refusal('unauthorized_client', 700016, 'Application was not found in the directory.');
      if (this.origin(call) === undefined) return crossOriginOnly;
      const found = granted(form, app.clientId);
      if ('error' in found) return found;
      const user = directory.user(found.userName);
      if (user === undefined || !user.accountEnabled || user.deleted) return FAULTS.revoked;
      const scope = form.get('scope') ?? found.scope;
      const { userName, clientId, signedInAtMs } = found;
      const refreshToken = sessions.refreshToken({ userName, clientId, signedInAtMs, scope });
      return { app, user, scope, refreshToken };
    },
  };
}

const crossOriginOnly = refusal(
  'invalid_request',
  9002327,
  "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
);
const FAULTS = {
  unknown: refusal('invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.'),
  expired: refusal('invalid_grant', 70008, 'The provided authorization code or refresh token has expired.'),
  verifier: refusal(
    'invalid_grant',
    501481,
    'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  ),
  revoked: refusal('invalid_grant', 50173, 'The provided grant has expired due to it being revoked.'),
} as const;

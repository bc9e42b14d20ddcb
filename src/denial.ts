/**
 * Every refusal, as a value. A denial is a decision about the caller or the request; an outage is never a denial
 * (see upstream.ts). `wire` maps every denial to the caller's answer, and `reason` to the text in the audit.
 */

import { describeHint, type TokenHint } from './token-hint.ts';

/** Why a caller's token was not accepted. The audit says it; the caller is told the hint, and nothing else. */
export type CallerFault =
  | 'missing'
  | 'too_large'
  | 'malformed'
  | 'algorithm'
  | 'type'
  | 'bound'
  | 'unknown_key'
  | 'signature'
  | 'key_issuer'
  | 'issuer'
  | 'audience'
  | 'tenant'
  | 'version'
  | 'expired'
  | 'not_yet_valid'
  | 'claims'
  | 'no_permission';

/** The registered token types (RFC 8693 section 3) that are no access token of Entra; `other`: one of nobody's. */
export type UnexchangedType = 'id_token' | 'refresh_token' | 'saml1' | 'saml2' | 'other';

export type Denial =
  | {
      readonly kind: 'request_malformed';
      /** 413: the body is too large. 415: its Content-Encoding is not supported. */
      readonly status: 400 | 413 | 415;
      readonly detail: string;
    }
  | {
      readonly kind: 'client_authentication';
      readonly method: 'Basic' | 'client_secret' | 'client_assertion';
    }
  | { readonly kind: 'grant_type_unsupported' }
  | { readonly kind: 'actor_token' }
  | { readonly kind: 'subject_token_type'; readonly type: UnexchangedType }
  | { readonly kind: 'caller_unverified'; readonly fault: CallerFault; readonly hint: TokenHint }
  | { readonly kind: 'scope_unsupported' }
  | { readonly kind: 'target_unknown'; readonly target: string }
  /** `resource` and `audience` were sent, and are not two names of one account. */
  | { readonly kind: 'targets_differ' }
  | { readonly kind: 'grant_missing'; readonly resource: string }
  | { readonly kind: 'user_required'; readonly resource: string }
  | { readonly kind: 'lifetime_unmet'; readonly resource: string; readonly grant: string }
  | {
      readonly kind: 'revoked';
      readonly scope: string;
      readonly of: 'caller' | 'target';
      /** A caller token with this `iat` or a later one is accepted; undefined: none is, however new. */
      readonly acceptedFromSeconds: number | undefined;
    }
  | { readonly kind: 'rate_limited'; readonly grant: string; readonly retryAfterSeconds: number }
  | { readonly kind: 'interaction_required'; readonly claims: string | undefined }
  | { readonly kind: 'obo_refused' };

/** An OAuth error answer: RFC 6749 section 5.2, RFC 8693 section 2.2.2. */
export interface WireDenial {
  readonly status: 400 | 401 | 413 | 415 | 429;
  readonly error: string;
  readonly description: string;
  readonly retryAfterSeconds?: number;
  readonly claims?: string;
  /** The value of WWW-Authenticate. */
  readonly challenge?: string;
}

/** @param token how the request names the caller's token */
export function wire(denial: Denial, token = 'subject_token'): WireDenial {
  switch (denial.kind) {
    case 'request_malformed':
      return { status: denial.status, error: 'invalid_request', description: denial.detail };
    // RFC 6749 section 5.2: 401 with the client's own scheme, if the client used the Authorization header.
    case 'client_authentication':
      return {
        status: denial.method === 'Basic' ? 401 : 400,
        error: 'invalid_client',
        description: `client authentication (${denial.method}) is not used here: the subject token says who you are`,
        ...(denial.method === 'Basic' && { challenge: 'Basic realm="azure-ai-token-broker"' }),
      };
    case 'grant_type_unsupported':
      return {
        status: 400,
        error: 'unsupported_grant_type',
        description: 'grant_type must be urn:ietf:params:oauth:grant-type:token-exchange',
      };
    case 'actor_token':
      return {
        status: 400,
        error: 'invalid_request',
        description:
          'an actor_token is not taken: the subject token alone says who calls, and for whom; send none',
      };
    case 'subject_token_type':
      return {
        status: 400,
        error: 'invalid_request',
        description: `subject_token_type ${denial.type}: ${NOT_EXCHANGED[denial.type]}; send an access token that Entra issued for this broker, as urn:ietf:params:oauth:token-type:access_token or jwt`,
      };
    case 'caller_unverified':
      return {
        status: 400,
        error: 'invalid_request',
        description: describeHint(denial.hint, token),
      };
    case 'scope_unsupported':
      return { status: 400, error: 'invalid_scope', description: 'the scope is fixed by the target' };
    // The same answer whether the target exists or not, so that nobody can find out which targets exist.
    case 'target_unknown':
    case 'targets_differ':
    case 'grant_missing':
      return { status: 400, error: 'invalid_target', description: 'no such target for this caller' };
    case 'user_required':
      return { status: 400, error: 'invalid_request', description: 'on behalf of needs a user token' };
    case 'lifetime_unmet':
      return {
        status: 400,
        error: 'invalid_target',
        description: 'no token within the lifetime the grant allows',
      };
    case 'revoked':
      if (denial.of === 'target')
        return { status: 400, error: 'invalid_target', description: 'no such target for this caller' };
      return denial.acceptedFromSeconds === undefined
        ? {
            status: 400,
            error: 'invalid_request',
            description: `${token} is no longer accepted, and a newer one is not either`,
          }
        : {
            status: 400,
            error: 'invalid_request',
            description: `${token} is no longer accepted: get a newer one with these claims`,
            claims: notBefore(denial.acceptedFromSeconds),
          };
    case 'rate_limited':
      return {
        status: 429,
        error: 'temporarily_unavailable',
        description: 'too many requests under this grant',
        retryAfterSeconds: denial.retryAfterSeconds,
      };
    case 'interaction_required':
      return {
        status: 400,
        error: 'interaction_required',
        description: 'the user must sign in again',
        ...(denial.claims === undefined ? {} : { claims: denial.claims }),
      };
    case 'obo_refused':
      return { status: 400, error: 'invalid_request', description: 'the user token cannot be exchanged' };
  }
}

const NOT_EXCHANGED: Readonly<Record<UnexchangedType, string>> = {
  id_token: 'an ID token tells a client who has signed in, and gives nobody access',
  refresh_token: 'a refresh token is between its client and Entra',
  saml1: 'a SAML assertion is not taken',
  saml2: 'a SAML assertion is not taken',
  other: 'this type is not known here',
};

/**
 * The claims challenge of continuous access evaluation for a token that was issued too early. The client's library
 * then gets a new token from Entra and not from its cache.
 * https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation
 */
function notBefore(seconds: number): string {
  return JSON.stringify({ access_token: { nbf: { essential: true, value: String(seconds) } } });
}

/** The reason that the audit row gives. */
export function reason(denial: Denial): string {
  switch (denial.kind) {
    case 'caller_unverified':
      return `caller_unverified: ${denial.fault}`;
    case 'request_malformed':
      return `request_malformed: ${denial.detail}`;
    case 'client_authentication':
      return `client_authentication: ${denial.method}`;
    case 'subject_token_type':
      return `subject_token_type: ${denial.type}`;
    case 'revoked':
      return `revoked: ${denial.scope}`;
    default:
      return denial.kind;
  }
}

/** Whether this denial comes before the caller is verified, so that anybody can cause it. */
export function isOfStranger({ kind }: Denial): boolean {
  return OF_STRANGERS[kind];
}

const OF_STRANGERS: Readonly<Record<Denial['kind'], boolean>> = {
  request_malformed: true,
  client_authentication: true,
  grant_type_unsupported: true,
  actor_token: true,
  subject_token_type: true,
  caller_unverified: true,
  scope_unsupported: false,
  target_unknown: false,
  targets_differ: false,
  grant_missing: false,
  user_required: false,
  lifetime_unmet: false,
  revoked: false,
  rate_limited: false,
  interaction_required: false,
  obo_refused: false,
};

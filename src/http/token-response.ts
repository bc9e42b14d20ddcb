import type { HttpResponseInit } from '@azure/functions';
import { type Denial, wire } from '../denial.ts';
import type { Granted } from '../exchange/hand-out.ts';
import { MAX_HOLD_OFF_MS } from '../exchange/tokens.ts';
import { openJws } from '../jws.ts';
import { ACTS_AS } from '../token-kind.ts';
import type { UpstreamFailure } from '../upstream.ts';
import { ACCESS_TOKEN, JWT, type TokenRequest } from './token-request.ts';

/** RFC 6749 section 5.1: no cache may store an answer of the token endpoint. `pragma` is for HTTP/1.0 caches. */
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;
const RETRY_AFTER_SECONDS = 5;
/** After this share of a token's life the caller should exchange again. */
const REFRESH_AT_SHARE = 0.8;

/**
 * RFC 8693 section 2.2.1, and beside it which endpoint accepts the token and what a revocation still ends.
 * `issued_token_type` says `jwt` to who asked for one, if the token is one: Azure's are, and promises that of none.
 */
export function grantedResponse(
  granted: Granted,
  nowMs: number,
  requestedType: TokenRequest['requestedType'] = ACCESS_TOKEN,
): HttpResponseInit {
  const { resource, endpoint } = granted.target;
  const expiresInSeconds = Math.floor((granted.expiresAtMs - nowMs) / 1000);
  const token = granted.token.reveal();
  const isSpeech = resource.kind === 'SpeechServices' && ACTS_AS[granted.kind] !== 'accountKey';
  return {
    status: 200,
    headers: NO_STORE,
    jsonBody: {
      access_token: token,
      issued_token_type: requestedType === JWT && isJwt(token) ? JWT : ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: expiresInSeconds,
      refresh_in: Math.floor(expiresInSeconds * REFRESH_AT_SHARE),
      token_kind: granted.kind,
      endpoint,
      region: resource.region,
      // https://learn.microsoft.com/azure/ai-services/speech-service/how-to-configure-azure-ad-auth
      ...(isSpeech ? { speech_authorization: `aad#${resource.accountId}#${token}` } : {}),
      revocation: `new exchanges at once; this token until it expires, at most ${expiresInSeconds} s`,
    },
  };
}

const isJwt = (token: string): boolean => openJws(token) !== 'malformed';

/** RFC 6749 section 5.2. With the correlation id an auditor finds the refusal in the audit. */
export function deniedResponse(denial: Denial, correlationId: string, nowMs: number): HttpResponseInit {
  const { status, error, description, claims, challenge, ...rest } = wire(denial);
  const retryAfterSeconds = rest.retryAfterSeconds ?? secondsUntilAccepted(denial, nowMs);
  return {
    status,
    headers: {
      ...NO_STORE,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    },
    jsonBody: {
      error,
      error_description: description,
      ...(claims === undefined ? {} : { claims }),
      correlation_id: correlationId,
    },
  };
}

/** The caller must wait so long, because Entra does not yet issue a token with the time that the claims ask for. */
function secondsUntilAccepted(denial: Denial, nowMs: number): number | undefined {
  if (denial.kind !== 'revoked' || denial.acceptedFromSeconds === undefined) return undefined;
  const seconds = Math.ceil(denial.acceptedFromSeconds - nowMs / 1000);
  return seconds > 0 ? seconds : undefined;
}

/**
 * An outage is never a denial (invariant 7): 503 with Retry-After (RFC 9110 section 15.6.4). However long a service
 * asks to wait, the broker asks it again after the longest hold-off, so a caller need not stay away for longer.
 */
export function unavailableResponse(failure: UpstreamFailure, correlationId: string): HttpResponseInit {
  const seconds = Math.min(failure.retryAfterSeconds ?? RETRY_AFTER_SECONDS, MAX_HOLD_OFF_MS / 1000);
  return {
    status: 503,
    headers: { ...NO_STORE, 'retry-after': String(seconds) },
    jsonBody: {
      error: 'temporarily_unavailable',
      error_description: 'a service this depends on is not answering; try again',
      correlation_id: correlationId,
    },
  };
}

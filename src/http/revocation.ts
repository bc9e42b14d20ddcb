import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { iso } from '../iso.ts';
import type { Admit } from '../revocation/admit.ts';
import type { Issued } from '../revocation/issued.ts';
import { UpstreamFailure } from '../upstream.ts';
import { correlationId } from './correlation.ts';
import { NO_STORE, readProtectedForm } from './protected-form.ts';
import { unavailableResponse } from './token-response.ts';

/**
 * `POST /oauth2/revoke`, RFC 7009. 200 also for an unknown token (section 2.2). 503 (section 2.2.1) and 429 mean that
 * the token is still handed out; 429 goes to a holder who has dropped too many tokens. Clients ignore the body of a
 * 200; it says until when Azure still accepts the token.
 */
export function createRevocationEndpoint({
  admit,
  issued,
}: {
  readonly admit: Admit;
  readonly issued: Issued;
}) {
  return async (request: HttpRequest): Promise<HttpResponseInit> => {
    try {
      const form = await readProtectedForm(request, admit);
      if (form.kind === 'refused') return form.answer;
      const record = await issued.drop(form.caller, form.token);
      if (record === undefined) return { status: 200, headers: NO_STORE, jsonBody: {} };
      if (record === 'unsupported') {
        const error_description = 'tokens of this resource cannot be revoked one by one; its operators can';
        return {
          status: 400,
          headers: NO_STORE,
          jsonBody: { error: 'unsupported_token_type', error_description },
        };
      }
      if ('kind' in record) {
        const error_description =
          'you have revoked as many tokens of this resource as a holder may at a time; this one is still handed out';
        return {
          status: 429,
          headers: { ...NO_STORE, 'retry-after': String(record.retryAfterSeconds) },
          jsonBody: { error: 'temporarily_unavailable', error_description },
        };
      }
      const until = iso(record.expiresAtMs);
      return {
        status: 200,
        headers: NO_STORE,
        jsonBody: {
          revocation: 'no longer handed out by any instance; Azure goes on accepting it until it expires',
          accepted_by_azure_until: until,
        },
      };
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      return unavailableResponse(error, correlationId(request.headers, Date.now()));
    }
  };
}

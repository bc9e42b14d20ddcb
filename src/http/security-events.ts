import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { SetError } from '../revocation/signals/set.ts';
import { UpstreamFailure } from '../upstream.ts';

const RETRY_AFTER_SECONDS = 30;

/**
 * `POST /signals`, RFC 8935: 202 without a body when the signal is in force, 400 with `err` when it can never be
 * accepted, 503 with Retry-After in an outage. Only after a 503 does the transmitter send it again.
 */
export function createSecurityEventEndpoint(signal: (token: string) => Promise<'accepted' | SetError>) {
  return async (request: HttpRequest): Promise<HttpResponseInit> => {
    const contentType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
    if (contentType !== 'application/secevent+jwt')
      return refused({
        err: 'invalid_request',
        description: 'Content-Type must be application/secevent+jwt',
      });
    const body = await request.text();
    if (body === '' && request.headers.get('transfer-encoding') !== null)
      return refused({ err: 'invalid_request', description: 'send the body with a Content-Length' });
    try {
      const answer = await signal(body.trim());
      return answer === 'accepted'
        ? { status: 202, headers: { 'cache-control': 'no-store' } }
        : refused(answer);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      const wait = String(error.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
      return { status: 503, headers: { 'retry-after': wait, 'cache-control': 'no-store' } };
    }
  };
}

/** RFC 8935 section 2.3 requires Content-Language, because people read `description`. */
function refused({ err, description }: SetError): HttpResponseInit {
  return {
    status: 400,
    headers: { 'content-language': 'en', 'cache-control': 'no-store' },
    jsonBody: { err, description },
  };
}

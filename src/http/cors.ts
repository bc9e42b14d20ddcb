import type { HttpRequest, HttpResponseInit } from '@azure/functions';

/** Answers for a page of an allowed origin; everybody else gets the same answer, which a browser keeps from the page. */
export type Cors = (
  method: 'GET' | 'POST',
  request: HttpRequest,
  answer: () => Promise<HttpResponseInit>,
) => Promise<HttpResponseInit>;

/** So long a browser need not ask again; Chrome's own limit. */
const PREFLIGHT_SECONDS = 7_200;
/** What an exchange sends beyond what any page may send. */
const REQUEST_HEADERS = 'authorization, content-type, traceparent';
/** What a page needs to read of a refusal. */
const RESPONSE_HEADERS = 'retry-after, www-authenticate';

/**
 * Cross-origin requests (Fetch standard, section 3.2), by exact origin, without cookies, so there is nothing that a
 * page could use behind its user's back. The function answers, and not the platform, which would take every route
 * and which the local mode has not: so infra/app.bicep leaves the platform's list empty.
 */
export function createCors(origins: readonly string[]): Cors {
  return async (method, request, answer) => {
    const origin = request.headers.get('origin');
    const isAllowed = origin !== null && origins.includes(origin);
    if (request.method === 'OPTIONS') {
      const allowed = {
        'access-control-allow-origin': origin ?? '',
        'access-control-allow-methods': method,
        'access-control-allow-headers': REQUEST_HEADERS,
        'access-control-max-age': String(PREFLIGHT_SECONDS),
      };
      return { status: 204, headers: { vary: 'Origin', ...(isAllowed ? allowed : {}) } };
    }
    const response = await answer();
    if (origins.length === 0) return response;
    const allowed = {
      'access-control-allow-origin': origin ?? '',
      'access-control-expose-headers': RESPONSE_HEADERS,
    };
    return { ...response, headers: { ...response.headers, vary: 'Origin', ...(isAllowed ? allowed : {}) } };
  };
}

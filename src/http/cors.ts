import type { HttpRequest, HttpResponseInit } from '@azure/functions';

/** Adds the CORS headers for allowed origins. Other origins get the answer without them, so browsers hide it. */
export type Cors = (
  method: 'GET' | 'POST',
  request: HttpRequest,
  answer: () => Promise<HttpResponseInit>,
) => Promise<HttpResponseInit>;

/** How long a browser may cache the preflight answer. Chrome caches none for longer. */
const PREFLIGHT_SECONDS = 7_200;
/** The request headers of an exchange that CORS does not allow by itself. */
const REQUEST_HEADERS = 'authorization, content-type, traceparent';
/** The response headers that a page needs to handle a refusal. */
const RESPONSE_HEADERS = 'retry-after, www-authenticate';

/**
 * Cross-origin requests (Fetch standard, section 3.2), allowed by exact origin. Cookies are not used, so a page can
 * send nothing that its user did not give it. This code answers and not the platform, which would allow every route
 * and which the local mode does not have. So infra/app.bicep leaves the platform's list of origins empty.
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

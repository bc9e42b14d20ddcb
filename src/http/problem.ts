import type { HttpResponseInit } from '@azure/functions';
import type { UpstreamFailure } from '../upstream.ts';

const RETRY_AFTER_SECONDS = 5;

/** RFC 9457. `detail` says what to do. It must never repeat a value that was sent. */
export function problem(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit {
  return {
    status,
    headers: { 'content-type': PROBLEM, 'cache-control': 'no-store', ...headers },
    jsonBody: { type: 'about:blank', title, status, detail },
  };
}
const PROBLEM = 'application/problem+json';

/** A problem with the id under which the log and the audit have the request; another answer stays as it is. */
export function correlated(answer: HttpResponseInit, correlationId: string): HttpResponseInit {
  const { 'content-type': type } = { ...(answer.headers as Record<string, string> | undefined) };
  return type === PROBLEM
    ? { ...answer, jsonBody: { ...answer.jsonBody, correlation_id: correlationId } }
    : answer;
}

/** An outage is never a denial (invariant 7): 503 with Retry-After. */
export function unavailable(failure: UpstreamFailure): HttpResponseInit {
  const detail = `${failure.service} is not answering; the request may have taken effect, repeating it is safe`;
  return problem(503, 'Service Unavailable', detail, {
    'retry-after': String(failure.retryAfterSeconds ?? RETRY_AFTER_SECONDS),
  });
}

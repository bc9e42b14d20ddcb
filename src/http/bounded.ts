import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { MAX_OPERATOR_BODY_BYTES, MAX_POLICY_BODY_BYTES, MAX_SIGNAL_BYTES } from '../body-limits.ts';
import { correlationId } from './correlation.ts';
import { correlated, problem } from './problem.ts';

type Handler = (request: HttpRequest) => Promise<HttpResponseInit>;

/** For `/operator/*`, which refuses with a problem (RFC 9457). */
export const boundedOperator = (handler: Handler): Handler =>
  bounded(MAX_OPERATOR_BODY_BYTES, handler, tooLarge);

/** For the routes of operators that take a policy. */
export const boundedPolicy = (handler: Handler): Handler => bounded(MAX_POLICY_BODY_BYTES, handler, tooLarge);

const tooLarge = (detail: string, { headers }: HttpRequest): HttpResponseInit =>
  correlated(problem(413, 'Content Too Large', detail), correlationId(headers, Date.now()));

/** For `/signals`, which refuses with an `err` (RFC 8935 section 2.3). */
export const boundedSignal = (handler: Handler): Handler =>
  bounded(MAX_SIGNAL_BYTES, handler, (description) => ({
    status: 413,
    headers: { 'cache-control': 'no-store', 'content-language': 'en' },
    jsonBody: { err: 'invalid_request', description },
  }));

/**
 * Answers 413 when Content-Length is over the bound, before the body is decoded. A body without Content-Length is
 * chunked, and the Functions host passes it on as an empty one. `parameters.ts` checks the bound for `/oauth2/*`.
 */
function bounded(
  maxBytes: number,
  handler: Handler,
  refusal: (detail: string, request: HttpRequest) => HttpResponseInit,
): Handler {
  return async (request) =>
    Number(request.headers.get('content-length') ?? 0) > maxBytes
      ? refusal(`the body may have at most ${maxBytes} bytes`, request)
      : handler(request);
}

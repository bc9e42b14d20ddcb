/**
 * A refusal of the token endpoint, with the AADSTS code that Entra gives.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { randomUUID } from 'node:crypto';
import type { Outcome } from './service.ts';

export interface EntraRefusal {
  readonly error:
    | 'invalid_request'
    | 'invalid_client'
    | 'unauthorized_client'
    | 'invalid_grant'
    | 'interaction_required'
    | 'unsupported_grant_type';
  readonly code: number;
  readonly message: string;
  readonly suberror?: string;
  /** What Conditional Access wants, as JSON in a string. */
  readonly claims?: string;
}

export function refusal(error: EntraRefusal['error'], code: number, message: string): EntraRefusal {
  return { error, code, message };
}

export function refuse(refused: EntraRefusal, nowMs: number): Outcome {
  const timestamp = new Date(nowMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  const [traceId, correlationId] = [randomUUID(), randomUUID()];
  return {
    status: refused.error === 'invalid_client' ? 401 : 400,
    headers: { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' },
    body: {
      error: refused.error,
      error_description: `AADSTS${refused.code}: ${refused.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [refused.code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `https://login.microsoftonline.com/error?code=${refused.code}`,
      ...(refused.suberror === undefined ? {} : { suberror: refused.suberror }),
      ...(refused.claims === undefined ? {} : { claims: refused.claims }),
    },
  };
}

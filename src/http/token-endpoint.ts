import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { reason } from '../denial.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Clock, Log } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { correlationId } from './correlation.ts';
import { readTokenRequest } from './token-request.ts';
import { deniedResponse, grantedResponse, unavailableResponse } from './token-response.ts';

/** An exchange answers within this wall time, even if a service hangs. Callers are promised 10 s. */
const DEADLINE_MS = 8_000;

export interface TokenEndpointPorts {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly log: Log;
}
export type TokenEndpoint = (request: HttpRequest) => Promise<HttpResponseInit>;

/** `POST /oauth2/token`: parses, exchanges, responds, and writes one log line about it. */
export function createTokenEndpoint({ exchange, clock, log }: TokenEndpointPorts): TokenEndpoint {
  return async (request) => {
    const startedAtMs = performance.now();
    const correlation = correlationId(request.headers);
    const took = () => Math.round((performance.now() - startedAtMs) * 10) / 10;
    try {
      const parsed = readTokenRequest({ headers: request.headers, body: await request.text() });
      const answer = await withinDeadline(exchange(parsed, correlation));
      if (!('token' in answer)) {
        log('exchange', { outcome: 'refused', reason: reason(answer), correlation, ms: took() });
        return deniedResponse(answer, correlation, clock());
      }
      log('exchange', {
        outcome: 'granted',
        resource: answer.target.resource.name,
        kind: answer.kind,
        grant: answer.grant,
        correlation,
        ms: took(),
      });
      return grantedResponse(answer, clock());
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      log('exchange', { outcome: 'unavailable', reason: error.message, correlation, ms: took() });
      return unavailableResponse(error, correlation);
    }
  };
}

async function withinDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UpstreamFailure('some', 'the exchange took too long')), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

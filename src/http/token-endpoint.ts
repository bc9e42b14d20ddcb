import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { reason } from '../denial.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Clock, Log } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { correlationId } from './correlation.ts';
import { createExchangeLog } from './exchange-log.ts';
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

/** `POST /oauth2/token`: parses, exchanges, responds, and tells the log. */
export function createTokenEndpoint({ exchange, clock, log }: TokenEndpointPorts): TokenEndpoint {
  const told = createExchangeLog({
    log,
    nowMs: () => performance.now(),
    later: (ms, work) => void setTimeout(work, ms).unref(),
  });
  return async (request) => {
    const startedAtMs = performance.now();
    const correlation = correlationId(request.headers, clock());
    const took = () => performance.now() - startedAtMs;
    try {
      const parsed = readTokenRequest({ headers: request.headers, body: await request.text() });
      const answer = await withinDeadline(exchange(parsed, correlation));
      if (!('token' in answer)) {
        told('refused', took(), { reason: reason(answer), correlation });
        return deniedResponse(answer, correlation, clock());
      }
      told('granted', took(), {
        resource: answer.target.resource.name,
        kind: answer.kind,
        grant: answer.grant,
        correlation,
      });
      return grantedResponse(answer, clock(), 'kind' in parsed ? undefined : parsed.requestedType);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      told('unavailable', took(), { reason: error.message, correlation });
      return unavailableResponse(error, correlation);
    }
  };
}

function withinDeadline<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new UpstreamFailure('some', 'the exchange took too long')),
      DEADLINE_MS,
    );
    const inTime = <Outcome>(settle: (outcome: Outcome) => void) => {
      return (outcome: Outcome) => {
        clearTimeout(timer);
        settle(outcome);
      };
    };
    work.then(inTime(resolve), inTime(reject));
  });
}

import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { reason } from '../denial.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Clock, Log } from '../ports.ts';
import { exchangeEnded, exchangeTrace } from '../telemetry/exchange.ts';
import { UpstreamFailure } from '../upstream.ts';
import { callerSpanId, correlationId } from './correlation.ts';
import { createExchangeLog, SLOW_MS } from './exchange-log.ts';
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
  return (request) => {
    const correlation = correlationId(request.headers, clock());
    const root = { traceId: correlation, callerSpanId: callerSpanId(request.headers), slowMs: SLOW_MS };
    return exchangeTrace(root, () => answered(request, correlation));
  };

  async function answered(request: HttpRequest, correlation: string): Promise<HttpResponseInit> {
    const startedAtMs = performance.now();
    const took = () => performance.now() - startedAtMs;
    try {
      const parsed = readTokenRequest({ headers: request.headers, body: await request.text() });
      const answer = await withinDeadline(exchange(parsed, correlation));
      if (!('token' in answer)) {
        told('refused', took(), { reason: reason(answer), correlation });
        exchangeEnded({ outcome: 'refused', error: answer.kind }, took());
        return deniedResponse(answer, correlation, clock());
      }
      told('granted', took(), {
        resource: answer.target.resource.name,
        kind: answer.kind,
        grant: answer.grant,
        correlation,
      });
      const { resource } = answer.target;
      exchangeEnded({ outcome: 'granted', resource: resource.name, kind: answer.kind }, took());
      return grantedResponse(answer, clock(), 'kind' in parsed ? undefined : parsed.requestedType);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      told('unavailable', took(), { reason: error.message, correlation });
      exchangeEnded({ outcome: 'unavailable', error: error.service }, took());
      return unavailableResponse(error, correlation);
    }
  }
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

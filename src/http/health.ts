import type { HttpResponseInit } from '@azure/functions';
import type { Snapshot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';

export interface HealthPorts {
  readonly snapshot: () => Promise<Snapshot>;
  /** Resources whose rotation should have happened: noticed here even when the timer has stopped. */
  readonly overdue: () => Promise<readonly string[]>;
}

/**
 * `GET /health`: 200 while exchanges can be decided, 503 with Retry-After while the shared state is out of
 * reach. Anyone may ask, so it names no resource: how many rotations are overdue, and nothing more.
 */
export function createHealthEndpoint({ snapshot, overdue }: HealthPorts): () => Promise<HttpResponseInit> {
  return async () => {
    const headers = { 'cache-control': 'no-store' };
    try {
      const [, late] = await Promise.all([snapshot(), overdue()]);
      return { headers, jsonBody: { status: 'ok', rotations_overdue: late.length } };
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      return {
        status: 503,
        headers: { ...headers, 'retry-after': '5' },
        jsonBody: { status: 'unavailable', service: error.service },
      };
    }
  };
}

import type { UpstreamService } from '../upstream.ts';
import { errorType } from './error-type.ts';
import { measure } from './meters.ts';
import { isOn } from './start.ts';
import { spanOf } from './trace.ts';

/** One call of another service with all its attempts: a span of kind CLIENT, and measured by service. */
export async function calling<T>(
  service: UpstreamService,
  operation: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!isOn()) return work();
  const startedAtMs = performance.now();
  const took = (error?: unknown): void => {
    const seconds = (performance.now() - startedAtMs) / 1000;
    const failed = error === undefined ? {} : { 'error.type': errorType(error) };
    measure(({ upstream }) => upstream.record(seconds, { 'peer.service': service, ...failed }));
  };
  try {
    const answer = await spanOf(`${service} ${operation}`, { 'peer.service': service }, work, 'client');
    took();
    return answer;
  } catch (error) {
    took(error);
    throw error;
  }
}

import { UpstreamFailure } from '../upstream.ts';

/** The value of `error.type`: an HTTP status, `no_answer`, or the name of an error. Never a message. */
export function errorType(error: unknown): string {
  if (error instanceof UpstreamFailure) return error.status === 0 ? 'no_answer' : String(error.status);
  return error instanceof Error ? error.name : 'unknown';
}

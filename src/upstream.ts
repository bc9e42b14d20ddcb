/** The services that the broker calls, by their names in simulated faults, logs and metrics. */
export type UpstreamService =
  | 'entra'
  | 'identity'
  | 'keyvault'
  | 'arm'
  | 'sts'
  | 'ai'
  | 'tables'
  | 'queues'
  | 'blobs'
  | 'graph'
  | 'transmitter'
  /** The policy in force is there, and this version of the app cannot read it. */
  | 'policy'
  /** One of the others; which one is not known, because a deadline over several calls has passed. */
  | 'some';

/**
 * A service that the broker depends on has failed: no answer in time, a refused connection, an unexpected status, or
 * an answer that cannot be read. The error has no body and no URL, because either may hold a key or a token. The
 * caller always gets 503 with Retry-After (invariant 7).
 */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly service: UpstreamService;
  /** The HTTP status, or 0 when there was none (refused, timed out, unreadable). */
  readonly status: number;
  /** The Retry-After of the service, in seconds; undefined when it sent none. */
  readonly retryAfterSeconds: number | undefined;

  constructor(service: UpstreamService, what: string, status = 0, retryAfterSeconds?: number) {
    super(`${service}: ${what}${status ? ` (status ${status})` : ''}`);
    this.service = service;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

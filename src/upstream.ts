/** What the broker calls, by the names that faults, logs and metrics use. */
export type UpstreamService =
  | 'entra'
  | 'identity'
  | 'keyvault'
  | 'arm'
  | 'sts'
  | 'ai'
  | 'tables'
  | 'graph'
  | 'transmitter'
  /** One of them: a deadline over several calls has passed. */
  | 'some';

/**
 * A service the broker depends on did not do its part: no answer in time, a refused connection, a status
 * that is not the protocol's, or an answer that cannot be read. Carries no body and no URL, because either
 * may hold a key or a token. On the wire it is always 503 with Retry-After (invariant 7).
 */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly service: UpstreamService;
  /** The HTTP status, or 0 where there was none (refused, timed out, unreadable). */
  readonly status: number;
  /** What the service asked us to wait, in seconds, where it said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(service: UpstreamService, what: string, status = 0, retryAfterSeconds?: number) {
    super(`${service}: ${what}${status ? ` (status ${status})` : ''}`);
    this.service = service;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

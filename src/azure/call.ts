import { calling } from '../telemetry/upstream.ts';
import { UpstreamFailure, type UpstreamService } from '../upstream.ts';

export interface CallLimits {
  /** The wall time for all attempts together. */
  readonly deadlineMs?: number;
  /** 1 for a call that must not be retried. */
  readonly attempts?: number;
}

const RETRIED_STATUSES = new Set([0, 408, 429, 500, 502, 503, 504]);
const FIRST_PAUSE_MS = 100;

/**
 * One call to another service: a deadline over all attempts, and a bounded retry that honours Retry-After. Every error
 * becomes an UpstreamFailure, which has neither body nor URL. `run` must return, and not throw, the answers that mean
 * something to its caller (404, 409, 412 …).
 * @throws UpstreamFailure
 */
export function call<T>(
  service: UpstreamService,
  operation: string,
  run: (signal: AbortSignal) => Promise<T>,
  limits: CallLimits = {},
): Promise<T> {
  return calling(service, operation, () => attempts(service, operation, run, limits));
}

async function attempts<T>(
  service: UpstreamService,
  operation: string,
  run: (signal: AbortSignal) => Promise<T>,
  { deadlineMs = 3_000, attempts: most = 3 }: CallLimits,
): Promise<T> {
  const startedAt = performance.now();
  const deadline = new AbortController();
  const expired = Promise.withResolvers<never>();
  expired.promise.catch(() => undefined);
  // Not AbortSignal.timeout, because it cannot be cleared and would keep every call in memory until its deadline.
  const timer = setTimeout(() => {
    expired.reject(new UpstreamFailure(service, `${operation}: no answer in time`));
    deadline.abort();
  }, deadlineMs);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // Some SDKs ignore the signal. The race makes sure that the deadline holds for them too.
        return await Promise.race([run(deadline.signal), expired.promise]);
      } catch (error) {
        const failure = asFailure(service, operation, error);
        const pauseMs =
          failure.retryAfterSeconds === undefined
            ? FIRST_PAUSE_MS * 3 ** (attempt - 1)
            : failure.retryAfterSeconds * 1000;
        const leftMs = deadlineMs - (performance.now() - startedAt);
        if (attempt >= most || !RETRIED_STATUSES.has(failure.status) || pauseMs >= leftMs) throw failure;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the error itself if it is an UpstreamFailure, else one with only the SDK error's status and Retry-After */
function asFailure(service: UpstreamService, operation: string, error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  const { statusCode, response, code, name, cause } = error as {
    code?: unknown;
    name?: unknown;
    cause?: { code?: unknown };
    statusCode?: unknown;
    response?: { headers?: { get?: (name: string) => string | null | undefined } };
  };
  const status = typeof statusCode === 'number' && statusCode >= 300 ? statusCode : 0;
  return new UpstreamFailure(
    service,
    `${operation} failed: ${[cause?.code, code, name].find((word) => typeof word === 'string') ?? 'unknown'}`,
    status,
    retryAfterSeconds(response?.headers?.get?.('retry-after')),
  );
}

/** RFC 9110 section 10.2.3. Only the form in seconds is read, because Azure does not send the other. */
export function retryAfterSeconds(header: string | null | undefined): number | undefined {
  return header && /^[0-9]{1,5}$/.test(header) ? Number(header) : undefined;
}

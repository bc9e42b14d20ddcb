import { UpstreamFailure, type UpstreamService } from '../upstream.ts';

export interface CallLimits {
  /** For all attempts together, in wall time. */
  readonly deadlineMs?: number;
  /** 1 for a call that must not be repeated blindly. */
  readonly attempts?: number;
}

const RETRIED_STATUSES = new Set([0, 408, 429, 500, 502, 503, 504]);
const FIRST_PAUSE_MS = 100;

/**
 * One outside call: a deadline over all attempts, a bounded retry that honours Retry-After, and every error
 * turned into an UpstreamFailure that carries neither body nor URL. Answers that mean something to the
 * caller (404, 409, 412 …) are for `run` to return, not to throw.
 * @throws UpstreamFailure
 */
export async function call<T>(
  service: UpstreamService,
  operation: string,
  run: (signal: AbortSignal) => Promise<T>,
  { deadlineMs = 3_000, attempts = 3 }: CallLimits = {},
): Promise<T> {
  const startedAt = performance.now();
  const deadline = new AbortController();
  const expired = Promise.withResolvers<never>();
  expired.promise.catch(() => undefined);
  // A timer that is cleared, not AbortSignal.timeout: that one keeps every call in memory until its deadline.
  const timer = setTimeout(() => {
    expired.reject(new UpstreamFailure(service, `${operation}: no answer in time`));
    deadline.abort();
  }, deadlineMs);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // Some SDKs ignore the signal: the race makes the deadline hold all the same.
        return await Promise.race([run(deadline.signal), expired.promise]);
      } catch (error) {
        const failure = asFailure(service, operation, error);
        const pauseMs =
          failure.retryAfterSeconds === undefined
            ? FIRST_PAUSE_MS * 3 ** (attempt - 1)
            : failure.retryAfterSeconds * 1000;
        const leftMs = deadlineMs - (performance.now() - startedAt);
        if (attempt >= attempts || !RETRIED_STATUSES.has(failure.status) || pauseMs >= leftMs) throw failure;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the failure itself, or one that keeps only the status and the wait of an SDK's error. */
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

/** RFC 9110 section 10.2.3, the delay-seconds form; Azure sends no other. */
export function retryAfterSeconds(header: string | null | undefined): number | undefined {
  return header && /^[0-9]{1,5}$/.test(header) ? Number(header) : undefined;
}

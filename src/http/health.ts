import type { HttpResponseInit } from '@azure/functions';
import type { Clock, Snapshot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';

export interface HealthPorts {
  readonly snapshot: () => Promise<Snapshot>;
  /** Resources whose rotation is overdue. This is computed here, so it is seen even if the timer has stopped. */
  readonly overdue: () => Promise<{
    readonly overdue: readonly string[];
    /** Resources with a key whose age is unknown. */
    readonly ofUnknownAge: readonly string[];
    /** Accounts that the rotation has never looked at, and when it looked at each of the others at the latest. */
    readonly unseen: readonly string[];
    readonly lookedAtMs: number | undefined;
  }>;
  /** Settled minutes of the audit that are not closed yet; undefined: none ever was closed. */
  readonly behind: () => Promise<number | undefined>;
  readonly clock: Clock;
}

const MAX_AGE_MS = 5_000;

/**
 * `GET /health`: 200 while exchanges can be decided, 503 with Retry-After while the shared state cannot be read.
 * Anyone may call it, so it names no resource: it only counts, and says within which time each account was looked at
 * and how far the closing of the audit is behind. All callers
 * share one check at a time, and an answer is at most five seconds old.
 */
export function createHealthEndpoint(ports: HealthPorts): () => Promise<HttpResponseInit> {
  let latest: { readonly answer: Promise<HttpResponseInit>; readonly beganAtMs: number } | undefined;
  let isLooking = false;
  return () => {
    const ageMs = latest === undefined ? Number.POSITIVE_INFINITY : ports.clock() - latest.beganAtMs;
    if (latest !== undefined && (isLooking || (ageMs >= 0 && ageMs < MAX_AGE_MS))) return latest.answer;
    isLooking = true;
    const answer = look(ports).finally(() => {
      isLooking = false;
    });
    latest = { answer, beganAtMs: ports.clock() };
    return answer;
  };
}

async function look({ snapshot, overdue, behind, clock }: HealthPorts): Promise<HttpResponseInit> {
  const headers = { 'cache-control': 'no-store' };
  try {
    // Which accounts there are is in the policy, which the look at the shared state finds.
    await snapshot();
    const [keys, minutesBehind] = await Promise.all([overdue(), behind()]);
    return {
      headers,
      jsonBody: {
        status: 'ok',
        rotations_overdue: keys.overdue.length,
        keys_of_unknown_age: keys.ofUnknownAge.length,
        ...(minutesBehind !== undefined && { record_minutes_behind: minutesBehind }),
        accounts_unseen: keys.unseen.length,
        ...(keys.lookedAtMs !== undefined && {
          accounts_seen_within_seconds: Math.max(0, Math.ceil((clock() - keys.lookedAtMs) / 1000)),
        }),
      },
    };
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error;
    return {
      status: 503,
      headers: { ...headers, 'retry-after': '5' },
      jsonBody: {
        status: 'unavailable',
        service: error.service,
        // No secret, and whoever deployed an older version over a newer one looks here first.
        ...(error.service === 'policy' && {
          detail:
            'this version of the app cannot read the policy in force: deploy the newer one, or roll the policy back from there',
        }),
      },
    };
  }
}

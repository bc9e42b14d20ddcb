/**
 * Revokes one caller token after another while every instance serves exchanges with it at a steady rate, and
 * counts those that began after the revocation's call had returned and still succeeded.
 */
import { Agent, request } from 'node:http';
import { callerToken, deliver, type LocalDescription, ownEvent } from '../local/local-mode.ts';

export interface Trials {
  readonly trials: number;
  /** Granted, and begun after the revocation was in force: when its call returned, plus the freshness. */
  readonly late: number;
  /** Granted, and begun after the call returned: only freshness above 0 allows any. */
  readonly afterReturn: number;
  /** From the last such exchange's begin back to the return; 0 when there was none. */
  readonly latestMs: number;
  readonly exchanges: number;
  /** Neither granted nor refused. */
  readonly unavailable: number;
  readonly perSecond: number;
  /** From sending the event to its acknowledgement, sorted. */
  readonly effectMs: readonly number[];
}

export interface TrialOptions {
  readonly trials: number;
  readonly perSecond: number;
  readonly freshnessMs: number;
}

/** How long each token is tried before it is revoked, and, beyond the freshness, afterwards. */
const BEFORE_MS = 20;
const AFTER_MS = 40;
const MAX_DELIVERIES = 5;

export async function revocationTrials(
  description: LocalDescription,
  { trials, perSecond, freshnessMs }: TrialOptions,
): Promise<Trials> {
  const agent = new Agent({ keepAlive: true });
  const outcomes: Exchanged[] = [];
  let token = await callerToken(description, 'captions');
  let running = 0;
  let sent = 0;
  const fire = (): void => {
    const broker = description.instances[sent % description.instances.length] ?? description.broker;
    sent += 1;
    running += 1;
    const shown = token;
    const beganAtMs = performance.now();
    attempt(agent, broker, shown).then((status) => {
      running -= 1;
      outcomes.push({ token: shown, beganAtMs, status });
    });
  };
  await Promise.all(description.instances.map((broker) => attempt(agent, broker, token)));

  const startedAtMs = performance.now();
  // Open loop: a slow answer does not slow the sending down.
  const pace = setInterval(() => {
    const due = ((performance.now() - startedAtMs) * perSecond) / 1000;
    while (sent < due && running < 500) fire();
  }, 2);
  const returnedAtMs = new Map<string, number>();
  const effectMs: number[] = [];
  try {
    for (let trial = 0; trial < trials; trial += 1) {
      token = await callerToken(description, 'captions');
      const revoked = token;
      await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
      const claims = JSON.parse(Buffer.from(revoked.split('.')[1] ?? '', 'base64url').toString());
      const scope = { kind: 'token', tenantId: claims.tid, uti: claims.uti };
      const sentAtMs = performance.now();
      const event = ownEvent('RevocationRequested', { scope });
      // An overloaded machine may time a call out: delivered again then, as Event Grid does.
      for (let delivery = 1; (await deliver(description.broker, [event])) !== 202; delivery += 1)
        if (delivery === MAX_DELIVERIES) throw new Error('the revocation is not acknowledged');
      const nowMs = performance.now();
      effectMs.push(nowMs - sentAtMs);
      returnedAtMs.set(revoked, nowMs);
      await new Promise((resolve) => setTimeout(resolve, AFTER_MS + freshnessMs));
    }
  } finally {
    clearInterval(pace);
  }
  const tookMs = performance.now() - startedAtMs;
  while (running > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  agent.destroy();

  const laggingMs = outcomes
    .filter(({ status }) => status === 200)
    .map(({ token, beganAtMs }) => beganAtMs - (returnedAtMs.get(token) ?? Number.POSITIVE_INFINITY))
    .filter((ms) => ms > 0);
  return {
    trials,
    late: laggingMs.filter((ms) => ms > freshnessMs).length,
    afterReturn: laggingMs.length,
    latestMs: Math.round(Math.max(0, ...laggingMs)),
    exchanges: outcomes.length,
    unavailable: outcomes.filter(({ status }) => status !== 200 && status !== 400).length,
    perSecond: Math.round((outcomes.length / tookMs) * 1000),
    effectMs: effectMs.sort((a, b) => a - b),
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  return Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
}

interface Exchanged {
  readonly token: string;
  readonly beganAtMs: number;
  readonly status: number;
}

/** node:http and not fetch: at this rate the client must not be what is measured. */
function attempt(agent: Agent, broker: string, token: string): Promise<number> {
  const body = `grant_type=${encodeURIComponent('urn:ietf:params:oauth:grant-type:token-exchange')}&resource=speech`;
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  };
  return new Promise((resolve) => {
    request(`${broker}/oauth2/token`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    })
      .on('error', () => resolve(0))
      .end(body);
  });
}

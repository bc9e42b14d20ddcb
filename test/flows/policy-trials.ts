/**
 * Changes of the policy under load, on three instances: `node test/flows/policy-trials.ts --applies 600 --seconds 600`.
 *
 * Some are valid, some no policy, some collide with another one, some go back. Each version names another region for
 * the account, which an exchange's answer repeats: so each answer says which version decided it. No exchange may fail,
 * and none that begins after a change has returned may be decided by an earlier version.
 */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine } from '../../src/command-line.ts';
import { createChance } from '../simulation/random.ts';
import { type PolicyHand, type PolicySource, policyHand } from './policy-hand.ts';
import { percentile } from './revocation-trials.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

const INSTANCES = 3;
const CALLER = 'captions';
const ACCOUNT = 'speech';
const KINDS = ['valid', 'valid', 'valid', 'valid', 'invalid', 'conflicting', 'rolled back'] as const;

interface Change {
  readonly region: string;
  readonly sentAtMs: number;
  readonly returnedAtMs: number;
}
export interface Exchanged {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  readonly status: number;
  readonly region: string;
}
export interface PolicyTrials {
  readonly sent: number;
  /** Answered 200: in force when they returned. */
  readonly returned: number;
  /** Refused: 412 or 422. */
  readonly refused: number;
  readonly unexpected: readonly string[];
  readonly exchanges: number;
  readonly failed: number;
  /** Decided by a version that was not in force any more when they began, or never was. */
  readonly late: number;
  /** Of how many changes an exchange was seen that began after it and before the next: the others were not tried. */
  readonly tried: number;
  readonly 'change p50 ms': number;
  readonly 'change p99 ms': number;
  readonly 'exchange p50 ms': number;
  readonly 'exchange p99 ms': number;
}

export async function policyTrials(
  applies: number,
  seed: number,
  seconds: number,
  perSecond: number,
): Promise<PolicyTrials> {
  const chance = createChance(seed);
  await using stack = await startStack(['--instances', String(INSTANCES)], NO_TIMER);
  await stack.warm();
  const load = await startLoad(stack, perSecond);
  try {
    await load.warm();
    const publisher = publisherOf(await policyHand(stack), stack, chance.between);
    await publisher.begin();
    const everyMs = (seconds * 1000) / applies;
    const beganAtMs = performance.now();
    let sent = 0;
    while (publisher.sent() < applies) {
      await publisher.change(chance.pick(KINDS));
      sent += 1;
      const restMs = beganAtMs + sent * everyMs - performance.now();
      if (restMs > 0) await wait(restMs);
    }
    const exchanged = await load.stop();
    return { ...publisher.report(), ...judged(exchanged, publisher.changes, beganAtMs) };
  } finally {
    await load.stop();
  }
}

/** Whoever puts policies in force: another region each time, of the account that is asked for. */
function publisherOf(hand: PolicyHand, stack: Stack, between: (from: number, to: number) => number) {
  const changes: Change[] = [];
  const unexpected: string[] = [];
  const past: { readonly version: string; readonly region: string }[] = [];
  const lasted: number[] = [];
  let current = { version: '', policy: {} as PolicySource };
  let sent = 0;
  let refused = 0;
  let regions = 0;
  const broker = (): string => stack.description.instances[between(0, INSTANCES - 1)] ?? '';
  const next = (): { readonly region: string; readonly policy: PolicySource } => {
    regions += 1;
    const region = `trial${regions}`;
    const resources = current.policy.resources.map((one) =>
      one['name'] === ACCOUNT ? { ...one, region } : one,
    );
    return { region, policy: { ...current.policy, resources } };
  };
  /** @returns whether it is in force */
  async function put(region: string, policy: PolicySource, expected: string, wanted: readonly number[]) {
    sent += 1;
    const sentAtMs = performance.now();
    const { status, body } = await hand.put({ policy, reason: region }, expected, { broker: broker() });
    const returnedAtMs = performance.now();
    if (!wanted.includes(status))
      unexpected.push(`${region}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
    if (status !== 200) {
      refused += 1;
      return;
    }
    lasted.push(returnedAtMs - sentAtMs);
    changes.push({ region, sentAtMs, returnedAtMs });
    current = { version: String(body['version']), policy };
    past.push({ version: current.version, region });
  }
  return {
    changes,
    sent: () => sent,
    async begin(): Promise<void> {
      current = await hand.read();
      const { region, policy } = next();
      await put(region, policy, current.version, [200]);
      sent = 0;
    },
    async change(kind: (typeof KINDS)[number]): Promise<void> {
      const { version } = current;
      if (kind === 'rolled back') {
        const to = past[between(0, past.length - 1)];
        if (to === undefined || to.version === version) return;
        sent += 1;
        const sentAtMs = performance.now();
        const { status, body } = await hand.rollBack(to.version, broker());
        const returnedAtMs = performance.now();
        if (status !== 200) unexpected.push(`back: ${status} ${JSON.stringify(body).slice(0, 300)}`);
        lasted.push(returnedAtMs - sentAtMs);
        changes.push({ region: to.region, sentAtMs, returnedAtMs });
        current = await hand.read();
        return;
      }
      const { region, policy } = next();
      if (kind === 'invalid')
        return put(region, { ...policy, grants: [{ name: region } as never] }, version, [422]);
      if (kind === 'valid') return put(region, policy, version, [200]);
      const other = next();
      const before = changes.length;
      await Promise.all([
        put(region, policy, version, [200, 412]),
        put(other.region, other.policy, version, [200, 412]),
      ]);
      if (changes.length !== before + 1)
        unexpected.push(`${changes.length - before} of two at once are in force`);
    },
    report: () => {
      const sorted = lasted.toSorted((one, other) => one - other);
      return {
        sent,
        returned: changes.length - 1,
        refused,
        unexpected,
        'change p50 ms': percentile(sorted, 0.5),
        'change p99 ms': percentile(sorted, 0.99),
      };
    },
  };
}

function judged(exchanged: readonly Exchanged[], changes: readonly Change[], sinceMs: number) {
  const late: Exchanged[] = [];
  const tried = new Set<Change>();
  const counted = exchanged.filter(({ beganAtMs }) => beganAtMs >= sinceMs);
  for (const one of counted) {
    if (one.status !== 200) continue;
    const last = changes.findLastIndex(({ returnedAtMs }) => returnedAtMs <= one.beganAtMs);
    // What had returned when it began, and what was on its way until it ended.
    const may = changes.slice(Math.max(0, last)).filter(({ sentAtMs }) => sentAtMs <= one.endedAtMs);
    if (!may.some(({ region }) => region === one.region)) late.push(one);
    const [first] = may;
    if (first !== undefined && may.length === 1) tried.add(first);
  }
  const times = counted.map(({ beganAtMs, endedAtMs }) => endedAtMs - beganAtMs).toSorted((a, b) => a - b);
  return {
    exchanges: counted.length,
    failed: counted.filter(({ status }) => status !== 200).length,
    late: late.length,
    tried: tried.size,
    'exchange p50 ms': percentile(times, 0.5),
    'exchange p99 ms': percentile(times, 0.99),
  };
}

/** Exchanges at each instance in turn, in an open loop: a slow answer does not slow the sending down. */
export async function startLoad(stack: Stack, perSecond: number) {
  const { instances } = stack.description;
  const agent = new Agent({ keepAlive: true });
  const renewMs = 30 * 60_000;
  let token = await stack.callerToken(CALLER);
  const renewing = setInterval(async () => {
    token = await stack.callerToken(CALLER);
  }, renewMs);
  const exchanged: Exchanged[] = [];
  let running = 0;
  let sent = 0;
  const fire = (): void => {
    const broker = instances[sent % instances.length] ?? '';
    sent += 1;
    running += 1;
    const beganAtMs = performance.now();
    exchange(agent, broker, token).then((answer) => {
      running -= 1;
      exchanged.push({ beganAtMs, endedAtMs: performance.now(), ...answer });
    });
  };
  let due = 0;
  let lookedAtMs = performance.now();
  const pace = setInterval(() => {
    const nowMs = performance.now();
    due += ((nowMs - lookedAtMs) * perSecond) / 1000;
    lookedAtMs = nowMs;
    while (sent < due) fire();
  }, 5);
  return {
    /** Until each instance holds a token. */
    warm: async (): Promise<void> => {
      while (exchanged.filter(({ status }) => status === 200).length < 10 * instances.length) await wait(10);
    },
    stop: async (): Promise<readonly Exchanged[]> => {
      clearInterval(pace);
      clearInterval(renewing);
      while (running > 0) await wait(5);
      agent.destroy();
      return exchanged;
    },
  };
}

/** node:http and not fetch: at this rate the client must not be what is measured. */
function exchange(
  agent: Agent,
  broker: string,
  token: string,
): Promise<{ readonly status: number; readonly region: string }> {
  const body = `grant_type=${encodeURIComponent('urn:ietf:params:oauth:grant-type:token-exchange')}&resource=${ACCOUNT}`;
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  };
  return new Promise((resolve) => {
    request(`${broker}/oauth2/token`, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        resolve({ status, region: status === 200 ? String(JSON.parse(text).region) : '' });
      });
    })
      .on('error', () => resolve({ status: 0, region: '' }))
      .end(body);
  });
}

if (import.meta.main) {
  const usage = `node test/flows/policy-trials.ts [--applies N] [--seconds N] [--rate N] [--seed N]

  --applies N  changes of the policy (default 60)
  --seconds N  in so many seconds (default 60)
  --rate N     exchanges a second meanwhile (default 200)
  --seed N     of what is changed where (default 1)`;
  const { values } = readCommandLine(usage, {
    options: {
      applies: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '60' },
      rate: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [applies, seed, seconds, rate] = [values.applies, values.seed, values.seconds, values.rate].map(
    Number,
  );
  const report = await policyTrials(applies ?? 60, seed ?? 1, seconds ?? 60, rate ?? 200);
  console.log(JSON.stringify(report, undefined, 2));
  if (report.late > 0 || report.failed > 0 || report.unexpected.length > 0 || report.tried === 0)
    process.exitCode = 1;
}

/**
 * Emergencies on the slot in use, while three issuer instances serve exchanges at a steady rate:
 * `node test/flows/emergency-trials.ts --trials 1000 --seed 1`.
 *
 * No exchange that begins after the operator's 202 may return a token bought with that key. The simulated account
 * judges it: tokens end with their key here, so after the key is regenerated it refuses every token that was bought
 * with it, and takes the others. The time until then is measured with the rotator at work (`busy`), after seconds
 * without a demand, when its trigger looks least often (`idle`), and with its process killed just before the demand
 * (`stopped`).
 */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine } from '../../src/command-line.ts';
import { type Chance, createChance } from '../simulation/random.ts';
import { type DemandScene, demandScene } from './demand-scene.ts';
import { type Processes, processesOf } from './processes.ts';
import { percentile } from './revocation-trials.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { use } from './rotation-load.ts';
import { type Stack, startStack } from './stack.ts';
import { writeTrialPolicy } from './trial-policy.ts';

const ROTATORS = ['busy', 'idle', 'stopped'] as const;
type Rotator = (typeof ROTATORS)[number];

interface Trial {
  readonly rotator: Rotator;
  /** Begun after the 202, and granted with a token that ended with the key. */
  readonly late: number;
  /** Tokens that were in use before, and ended with the key: without them nothing was tried. */
  readonly ended: number;
  readonly exchanges: number;
  /** 503 with Retry-After. */
  readonly unavailable: number;
  /** Neither granted nor that. */
  readonly unexpected: number;
  readonly answeredMs: number;
  /** From the 202 to the key's regeneration, and to the first exchange that was granted again. */
  readonly regeneratedMs: number;
  readonly grantedMs: number;
}
export interface EmergencyTrials {
  readonly seed: number;
  readonly trials: readonly Trial[];
  readonly seconds: number;
}

const INSTANCES = 3;
const ACCOUNTS = Array.from({ length: 24 }, (_, index) => `speech-${index + 1}`);
const CALLER = 'captions';
const PER_SECOND = 45;
const BEFORE_MS = 60;
/** Afterwards it goes on more slowly, until every instance grants again. */
const PER_SECOND_AFTERWARDS = 6;
const MAX_OUTAGE_MS = 60_000;
/** The trigger waits 2 s at most between two looks, and reaches that after 3 s without a message. */
const IDLE_MS = 4_000;
/** One in so many is measured with the rotator idle, and one in so many with it stopped. */
const RARE = 25;
/** Azure Resource Manager counts the rotator's calls: virtual time goes on, so that the trials are not throttled. */
const JUMP_SECONDS = 60;
/** A caller's own Entra token lives for 60 to 90 minutes. */
const OWN_TOKEN_ROUNDS = 20;
const MAX_REGENERATE_MS = 120_000;

interface Scene {
  readonly stack: Stack;
  readonly scene: DemandScene;
  readonly processes: Processes;
  readonly chance: Chance;
  readonly agent: Agent;
}

export async function emergencyTrials(wanted: number, seed: number, rare = RARE): Promise<EmergencyTrials> {
  const startedAt = performance.now();
  using policy = writeTrialPolicy(
    ACCOUNTS.map((name) => ({ name, kind: 'SpeechServices', grant: CALLER })),
    Date.now(),
  );
  await using stack = await startStack(['--instances', String(INSTANCES), '--policy', policy.file], NO_TIMER);
  const scene = demandScene(stack);
  for (const name of ACCOUNTS) await stack.control('PUT', `/accounts/${name}`, { tokensEndWithKey: true });
  // The accounts are adopted.
  await scene.tick();
  const agent = new Agent({ keepAlive: true });
  const all: Scene = { stack, scene, processes: processesOf(stack), chance: createChance(seed), agent };
  const trials: Trial[] = [];
  let token = '';
  try {
    while (trials.length < wanted) {
      const round = trials.length / ACCOUNTS.length;
      if (round % OWN_TOKEN_ROUNDS === 0) token = await stack.callerToken(CALLER);
      const ending: Promise<Trial>[] = [];
      for (const name of ACCOUNTS.slice(0, wanted - trials.length)) {
        const turn = (trials.length + ending.length) % rare;
        const rotator = turn === rare - 1 ? 'stopped' : turn === Math.floor(rare / 2) ? 'idle' : 'busy';
        ending.push((await tryOne(all, name, token, rotator)).ended);
      }
      trials.push(...(await Promise.all(ending)));
      await stack.control('POST', '/clock', { advanceSeconds: JUMP_SECONDS });
    }
  } finally {
    agent.destroy();
  }
  return { seed, trials, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

interface Exchanged {
  readonly beganAtMs: number;
  readonly status: number;
  readonly retryAfter: boolean;
  readonly token: string;
}

/** Resolves when the key is regenerated; `ended` when every instance grants again and all is judged. */
async function tryOne(
  all: Scene,
  name: string,
  ownToken: string,
  rotator: Rotator,
): Promise<{ readonly ended: Promise<Trial> }> {
  const { stack, scene, processes, chance } = all;
  const { state } = await scene.sight(name);
  const load = startLoad(all, name, ownToken);
  try {
    await load.warm();
    await wait(BEFORE_MS);
    if (rotator === 'idle') await wait(IDLE_MS);
    if (rotator === 'stopped') {
      await processes.mayKill('rotator');
      processes.kill('rotator');
    }
    const { last } = await scene.requests(Number.MAX_SAFE_INTEGER);
    const broker = stack.description.instances[chance.between(0, INSTANCES - 1)] ?? '';
    const sentAtMs = performance.now();
    const wish = { slot: state.active, emergency: true, reason: 'trial' };
    const status = await scene.place(broker, name, wish);
    const placedAtMs = performance.now();
    if (status !== 202) throw new Error(`the emergency is answered ${status}:\n${stack.log().slice(-2000)}`);
    const regeneratedAtMs = await regenerated(all, name, last);
    if (rotator === 'stopped') await processes.isBack('rotator');
    const times = { placedAtMs, answeredMs: placedAtMs - sentAtMs, regeneratedAtMs };
    return { ended: judged(all, name, rotator, load, times) };
  } catch (error) {
    await load.stop();
    throw error;
  }
}

async function judged(
  { stack }: Scene,
  name: string,
  rotator: Rotator,
  load: ReturnType<typeof startLoad>,
  times: { readonly placedAtMs: number; readonly answeredMs: number; readonly regeneratedAtMs: number },
): Promise<Trial> {
  const { placedAtMs, answeredMs, regeneratedAtMs } = times;
  try {
    await load.goOnUntilGranted(regeneratedAtMs);
    const exchanged = await load.stop();
    const { endpoint = '' } = stack.description.resources.find((one) => one.name === name) ?? {};
    const ends = new Map<string, boolean>();
    for (const { token } of exchanged)
      if (token !== '' && !ends.has(token))
        ends.set(token, (await use('speech', endpoint, { authorization: `Bearer ${token}` })) !== 200);
    const afterwards = exchanged.filter(({ beganAtMs }) => beganAtMs > placedAtMs);
    const granted = afterwards.filter((one) => one.status === 200);
    const outages = exchanged.filter((one) => one.status === 503 && one.retryAfter);
    return {
      rotator,
      late: granted.filter(({ token }) => ends.get(token)).length,
      ended: [...ends.values()].filter(Boolean).length,
      exchanges: exchanged.length,
      unavailable: outages.length,
      unexpected: exchanged.length - outages.length - exchanged.filter((one) => one.status === 200).length,
      answeredMs,
      regeneratedMs: Math.max(0, regeneratedAtMs - placedAtMs),
      grantedMs: Math.min(...granted.map(({ beganAtMs }) => beganAtMs)) - placedAtMs,
    };
  } finally {
    await load.stop();
  }
}

/** When the account got a new key, by the clock of this process. */
async function regenerated({ stack, scene }: Scene, name: string, from: number): Promise<number> {
  const { now } = (await stack.control('GET', '/clock')) as { now: string };
  const aheadMs = Date.parse(now) - performance.now();
  let after = from;
  const giveUpAtMs = performance.now() + MAX_REGENERATE_MS;
  for (;;) {
    const { requests, last } = await scene.requests(after);
    after = last;
    const done = requests.find(
      ({ operation, resource, status }) =>
        operation === 'regenerateKey' && resource === name && status === 200,
    );
    if (done !== undefined) return Date.parse(done.at) - aheadMs;
    if (performance.now() > giveUpAtMs)
      throw new Error(`the key of ${name} is not regenerated:\n${stack.log().slice(-3000)}`);
    await wait(15);
  }
}

/** Exchanges at each instance in turn, in an open loop: a slow answer does not slow the sending down. */
function startLoad({ stack, agent }: Scene, name: string, ownToken: string) {
  const { instances } = stack.description;
  const exchanged: Exchanged[] = [];
  const granted: { readonly broker: string; readonly beganAtMs: number }[] = [];
  let running = 0;
  let sent = 0;
  const fire = (): void => {
    const broker = instances[sent % instances.length] ?? '';
    sent += 1;
    running += 1;
    const beganAtMs = performance.now();
    exchange(agent, broker, name, ownToken).then((answer) => {
      running -= 1;
      if (answer.status === 200) granted.push({ broker, beganAtMs });
      exchanged.push({ beganAtMs, ...answer });
    });
  };
  let perSecond = PER_SECOND;
  let due = 0;
  let lookedAtMs = performance.now();
  const pace = setInterval(() => {
    const nowMs = performance.now();
    due += ((nowMs - lookedAtMs) * perSecond) / 1000;
    lookedAtMs = nowMs;
    while (sent < due && running < 300) fire();
  }, 5);
  const allGrant = (sinceMs: number): boolean =>
    instances.every((broker) => granted.some((one) => one.broker === broker && one.beganAtMs >= sinceMs));
  return {
    /** Resolves when every instance holds a token. What was answered before is forgotten: the instances were cold. */
    warm: async (): Promise<void> => {
      while (!allGrant(0)) await wait(10);
      exchanged.splice(0, exchanged.length, ...exchanged.filter(({ status }) => status === 200));
    },
    goOnUntilGranted: async (sinceMs: number): Promise<void> => {
      perSecond = PER_SECOND_AFTERWARDS;
      const giveUpAtMs = performance.now() + MAX_OUTAGE_MS;
      while (!allGrant(sinceMs)) {
        if (performance.now() > giveUpAtMs) throw new Error(`${name} is not granted any more`);
        await wait(20);
      }
    },
    stop: async (): Promise<readonly Exchanged[]> => {
      clearInterval(pace);
      while (running > 0) await wait(5);
      return exchanged;
    },
  };
}

/** node:http and not fetch: at this rate the client must not be what is measured. */
function exchange(
  agent: Agent,
  broker: string,
  resource: string,
  ownToken: string,
): Promise<Omit<Exchanged, 'beganAtMs'>> {
  const body = `grant_type=${encodeURIComponent('urn:ietf:params:oauth:grant-type:token-exchange')}&resource=${resource}`;
  const headers = {
    authorization: `Bearer ${ownToken}`,
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
        const token = status === 200 ? String(JSON.parse(text).access_token) : '';
        resolve({ status, token, retryAfter: answer.headers['retry-after'] !== undefined });
      });
    })
      .on('error', () => resolve({ status: 0, token: '', retryAfter: false }))
      .end(body);
  });
}

const sum = (trials: readonly Trial[], of: (trial: Trial) => number): number =>
  trials.reduce((total, trial) => total + of(trial), 0);

export function rowOf(trials: readonly Trial[]) {
  const sorted = (of: (trial: Trial) => number) => trials.map(of).toSorted((one, other) => one - other);
  const [answered, regenerated, granted] = [
    sorted(({ answeredMs }) => answeredMs),
    sorted(({ regeneratedMs }) => regeneratedMs),
    sorted(({ grantedMs }) => grantedMs),
  ];
  return {
    trials: trials.length,
    late: sum(trials, ({ late }) => late),
    exchanges: sum(trials, ({ exchanges }) => exchanges),
    'tokens ended': sum(trials, ({ ended }) => ended),
    '503': sum(trials, ({ unavailable }) => unavailable),
    unexpected: sum(trials, ({ unexpected }) => unexpected),
    '202 p50 ms': percentile(answered, 0.5),
    'regenerated p50 ms': percentile(regenerated, 0.5),
    'p99 ms': percentile(regenerated, 0.99),
    'granted again p50 ms': percentile(granted, 0.5),
    'granted p99 ms': percentile(granted, 0.99),
  };
}

if (import.meta.main) {
  const usage = `node test/flows/emergency-trials.ts [--trials N] [--seed N]

  --trials N  emergencies (default 100); one in ${RARE} with the rotator idle, and one in ${RARE} with it stopped
  --seed N    of who asks where (default 1)`;
  const { values } = readCommandLine(usage, {
    options: { trials: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
  });
  const { trials, ...report } = await emergencyTrials(Number(values.trials), Number(values.seed));
  console.table(
    Object.fromEntries(
      ROTATORS.map((rotator) => [rotator, rowOf(trials.filter((trial) => trial.rotator === rotator))]),
    ),
  );
  console.log(JSON.stringify({ ...report, trials: trials.length, late: sum(trials, ({ late }) => late) }));
  if (trials.some(({ late, ended, unexpected }) => late > 0 || ended === 0 || unexpected > 0))
    process.exitCode = 1;
}

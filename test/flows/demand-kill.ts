/**
 * An issuer instance or the rotator killed (`kill -9`) at a random step of a demand, while callers exchange and use
 * tokens at both issuer instances: `node test/flows/demand-kill.ts --trials 200 --seed 1`.
 *
 * A demand is an operator's rotation or emergency, or the event that a key has leaked. Whatever was killed, it is
 * carried out exactly once, or its row says why not: an operator who got no answer finds the row or that there is none,
 * and Event Grid delivers until it is answered. An exchange fails that is not granted, but for 503 with Retry-After in an
 * emergency (live-callers.ts).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine } from '../../src/command-line.ts';
import type { Slot } from '../../src/ports.ts';
import { type Chance, createChance } from '../simulation/random.ts';
import { isEmergency, NEW_KEYS, POINTS, type Point, WISHES, type Wish } from './demand-points.ts';
import { type DemandScene, demandScene } from './demand-scene.ts';
import { ACCOUNTS, type AccountName, type LiveCallers, startCallers } from './live-callers.ts';
import { type Processes, processesOf } from './processes.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';
import { writeTrialPolicy } from './trial-policy.ts';

interface Trial {
  readonly wish: Wish;
  readonly point: string;
  /** What was killed; undefined: the demand was over before the point was reached. */
  readonly killed: string | undefined;
  readonly placed: 'answered' | 'no answer, row' | 'no answer, no row';
  readonly outcome: 'once' | 'not begun' | 'never placed';
  readonly ticks: number;
  readonly problems: readonly string[];
}
export interface KillTrials {
  readonly seed: number;
  readonly trials: readonly Trial[];
  /** In which nothing was killed: they are not counted as trials. */
  readonly unreached: number;
  readonly exchanges: number;
  readonly failed: number;
  readonly unavailable: number;
  readonly uses: number;
  readonly elsewhere: number;
  readonly failures: readonly string[];
  readonly virtualHours: number;
  readonly seconds: number;
}

const INSTANCES = 2;
/** Far more than anything takes: it has come to a halt. */
const MAX_TICKS = 80;
/** Longer than anybody waits for the answer that the kill forestalls. */
const HELD_MS = 30_000;
/** Longer than the queue's trigger waits between two looks. */
const QUEUE_MS = 3_000;
/** Between two rounds of a caller, where nobody waits for one: what is measured is no load. */
const PAUSE_MS = 50;
/** A call that is held is seen in time at any pace; a number of calls is soon passed. */
const HELD_LOOK_MS = 40;
const LOOK_MS = 3;

interface Scene {
  readonly stack: Stack;
  readonly scene: DemandScene;
  readonly callers: LiveCallers;
  readonly processes: Processes;
  readonly chance: Chance;
}

type Wishes = readonly [Wish, ...Wish[]];

export async function demandKillTrials(
  wanted: number,
  seed: number,
  wishes: Wishes = WISHES,
  told: (trial: Trial) => void = () => undefined,
  pauseMs = PAUSE_MS,
): Promise<KillTrials> {
  const startedAt = performance.now();
  using policy = writeTrialPolicy(
    [
      { name: 'speech', kind: 'SpeechServices', grant: ACCOUNTS.speech },
      { name: 'translator', kind: 'TextTranslation', grant: ACCOUNTS.translator },
    ],
    Date.now(),
  );
  await using stack = await startStack(['--instances', String(INSTANCES), '--policy', policy.file], NO_TIMER);
  const chance = createChance(seed);
  const scene = demandScene(stack);
  for (const name of Object.keys(ACCOUNTS))
    await stack.control('PUT', `/accounts/${name}`, { tokensEndWithKey: true });
  await scene.tick();
  await warmAll(stack);
  const callers = await startCallers(stack, chance, pauseMs);
  const began = callers.now();
  const all: Scene = { stack, scene, callers, processes: processesOf(stack), chance };
  const trials: Trial[] = [];
  let unreached = 0;
  try {
    while (trials.length < wanted) {
      const trial = await tryOne(all, trials.length + unreached, chance.pick(wishes));
      if (trial.killed === undefined && trial.problems.length === 0) unreached += 1;
      else {
        trials.push(trial);
        told(trial);
      }
    }
  } finally {
    await callers.stop();
  }
  return {
    seed,
    trials,
    unreached,
    ...callers.counts,
    failures: callers.failures,
    virtualHours: Math.round((callers.now() - began) / 3_600_000),
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

async function tryOne(all: Scene, number: number, wish: Wish): Promise<Trial> {
  const { stack, scene, callers, processes, chance } = all;
  const name = chance.pick<AccountName>(['speech', 'translator']);
  const [first, ...rest] = POINTS[wish];
  if (first === undefined) throw new Error(`no points for ${wish}`);
  const point = chance.pick([first, ...rest]);
  const instance = chance.between(1, INSTANCES);
  const broker = stack.description.instances[instance - 1] ?? '';
  const victim = point.victim === 'rotator' ? 'rotator' : `instance-${instance}`;
  await processes.mayKill(victim);

  await callers.rounds(1);
  const before = await scene.sight(name);
  const failedBefore = callers.failures.length;
  const { last } = await scene.requests(0);
  // What a token is good for in an emergency, emergency-trials.ts judges.
  if (isEmergency(wish)) callers.allow(name, 'gone');

  const reason = `trial ${number}`;
  const slot = wish.includes('slot') ? chance.pick<Slot>(['Key1', 'Key2']) : undefined;
  const asked = { reason, emergency: isEmergency(wish), ...(slot === undefined ? {} : { slot }) };
  const leak = wish === 'leaked key' ? await scene.leakOf(name) : undefined;
  await arm(stack, point);
  const kill = strike(all, point, victim, last);
  const sent =
    leak === undefined ? scene.place(broker, name, asked) : delivered(all, leak, instance, () => kill.over);
  const status = await sent;
  const isBegun = async (): Promise<boolean> =>
    leak === undefined
      ? !isOpen((await scene.demandBecause(reason))?.state)
      : (await newKeys(all, name, last)) > 0;
  const isDone = async (): Promise<boolean> => {
    const { state } = await scene.sight(name);
    if (state.work !== undefined) return false;
    if (leak !== undefined) return (await newKeys(all, name, last)) >= NEW_KEYS[wish];
    const demand = await scene.demandBecause(reason);
    return !isOpen(demand?.state);
  };

  // The queue alone, without a tick, begins with it; or the process that should is killed.
  const untilMs = performance.now() + QUEUE_MS;
  while (!kill.over && performance.now() < untilMs && !(await isBegun())) await wait(30);
  let ticks = 0;
  for (; ticks < MAX_TICKS && !(await isDone()); ticks += 1) {
    if (kill.over) await processes.isBack(victim);
    await scene.tick(kill.over ? undefined : kill.watched);
    await callers.rounds(1);
    await callers.jump(chance.between(60, 320));
  }
  await kill.stop();
  if (kill.isStruck()) await processes.isBack(victim);
  // Whoever could not buy tries again within half a minute; from then on nothing may fail.
  await callers.jump(60);
  await callers.rounds(1);
  callers.forget(name);
  callers.allow(name, 'nothing');
  // A step that nobody has begun before its process died shows in the next ticks.
  for (let left = 2; left > 0; left -= 1) {
    await callers.jump(650);
    await callers.rounds(1);
    await scene.tick();
  }
  await callers.rounds(2);

  const after = await scene.sight(name);
  const demand = leak === undefined ? await scene.demandBecause(reason) : undefined;
  const made = await newKeys(all, name, last);
  // A demand that is taken once more, because its outcome was not written, is noted without a beginning.
  const beginnings = after.history.filter(
    ({ fence, from, to }) => fence > (before.history[0]?.fence ?? 0) && from === 'steady' && to !== from,
  );
  const problems = [
    ...callers.failures.slice(failedBefore),
    ...(ticks >= MAX_TICKS ? [`no end: ${JSON.stringify(after.state.work)}`] : []),
    ...(after.state.work === undefined ? [] : ['it is not steady in the end']),
    ...(after.retiring === undefined ? [] : [`exchanges are told that ${after.retiring} is retiring`]),
    ...(leak === undefined && status !== 202 && status !== 0 ? [`placed: ${status}`] : []),
    ...(status === 202 && leak === undefined && demand === undefined ? ['the row of a demand is gone'] : []),
    ...(demand !== undefined && !BEGUN.includes(demand.state) && demand.why === ''
      ? ['no reason is given']
      : []),
  ];
  const isPlaced = leak !== undefined || demand !== undefined;
  const wasBegun = leak !== undefined || BEGUN.includes(demand?.state ?? '');
  const wantedKeys = wasBegun ? NEW_KEYS[wish] : 0;
  if (made !== wantedKeys) problems.push(`${made} new keys in place of ${wantedKeys}`);
  if (beginnings.length !== Number(wasBegun))
    problems.push(`begun ${beginnings.length} times: ${beginnings.map(({ to, why }) => `${to}, ${why}`)}`);
  return {
    wish,
    point: point.name,
    killed: kill.isStruck() ? victim : undefined,
    placed: status !== 0 ? 'answered' : isPlaced ? 'no answer, row' : 'no answer, no row',
    outcome: wasBegun ? 'once' : isPlaced ? 'not begun' : 'never placed',
    ticks,
    problems,
  };
}

const BEGUN = ['begun', 'done', 'superseded'];
const isOpen = (state: string | undefined): boolean => state === 'waiting' || state === 'running';

/** Event Grid delivers until it is answered, to whichever instance lives. */
async function delivered(
  { stack, scene }: Scene,
  event: unknown,
  instance: number,
  over: () => boolean,
): Promise<number> {
  const { instances } = stack.description;
  for (let attempt = 0; ; attempt += 1) {
    const status = await scene.leak(instances[(instance - 1 + attempt) % INSTANCES] ?? '', event);
    if (status === 202 || status === 200 || over()) return status;
    await wait(200);
  }
}

async function newKeys({ scene }: Scene, name: string, after: number): Promise<number> {
  const { requests } = await scene.requests(after);
  return requests.filter(
    ({ operation, resource, status }) => operation === 'regenerateKey' && resource === name && status === 200,
  ).length;
}

async function arm({ control }: Stack, point: Point): Promise<void> {
  if (point.kind !== 'held') return;
  const { service, operation, share } = point;
  const aimed = { mode: 'slow', delayMs: HELD_MS, operation, ...(share === undefined ? {} : { share }) };
  await control('PUT', `/faults/${service}`, aimed);
}

interface Strike {
  readonly over: boolean;
  isStruck(): boolean;
  /** Resolves when it has struck, or was stopped. */
  readonly watched: Promise<void>;
  stop(): Promise<void>;
}

/** Watches the log of the simulated services, and kills as soon as the point is reached. */
function strike(
  { stack, scene, processes, chance }: Scene,
  point: Point,
  victim: string,
  from: number,
): Strike {
  const { issuer, rotator } = stack.description.environment;
  const by =
    point.victim === 'rotator' ? rotator['BROKER_ROTATOR_IDENTITY'] : issuer['BROKER_ISSUER_IDENTITY'];
  const limit = point.kind === 'held' ? 0 : chance.between(1, point.max);
  const startedAtMs = performance.now();
  let after = from;
  let calls = 0;
  let state: 'watching' | 'struck' | 'stopped' = 'watching';
  const isReached = async (): Promise<boolean> => {
    if (point.kind === 'ms') return performance.now() - startedAtMs >= limit;
    const { requests, last } = await scene.requests(after);
    after = last;
    const own = requests.filter((one) => one.by === by);
    calls += own.length;
    if (point.kind === 'calls') return calls >= limit;
    return own.some(({ operation, fault }) => operation === point.operation && fault === 'slow');
  };
  const watched = (async () => {
    while (state === 'watching') {
      if (await isReached()) {
        processes.kill(victim);
        state = 'struck';
      } else await wait(point.kind === 'held' ? HELD_LOOK_MS : LOOK_MS);
    }
    await stack.control('DELETE', '/faults');
  })();
  return {
    get over() {
      return state !== 'watching';
    },
    isStruck: () => state === 'struck',
    watched,
    stop: async () => {
      if (state === 'watching') state = 'stopped';
      await watched;
    },
  };
}

async function warmAll(stack: Stack): Promise<void> {
  for (const broker of stack.description.instances)
    for (const [account, caller] of Object.entries(ACCOUNTS)) {
      const token = await stack.callerToken(caller);
      for (let tries = 0; (await stack.exchange(token, account, {}, broker)).status !== 200; tries += 1) {
        if (tries > 20) throw new Error(`${broker} does not answer:\n${stack.log().slice(-2000)}`);
        await wait(200);
      }
    }
}

function tell({ trials, failures, ...totals }: KillTrials): void {
  const rows = new Map<string, Record<string, number | string>>();
  for (const { wish, point, outcome, problems } of trials) {
    const key = `${wish} | ${point}`;
    const row = rows.get(key) ?? {
      wish,
      point,
      killed: 0,
      once: 0,
      'not begun': 0,
      'never placed': 0,
      wrong: 0,
    };
    row['killed'] = Number(row['killed']) + 1;
    row[outcome] = Number(row[outcome]) + 1;
    row['wrong'] = Number(row['wrong']) + (problems.length > 0 ? 1 : 0);
    rows.set(key, row);
  }
  console.table(
    [...rows.entries()].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row),
  );
  console.log(JSON.stringify({ ...totals, trials: trials.length }));
  for (const { wish, point, problems } of trials)
    for (const problem of problems.slice(0, 3)) console.log(`${wish}, ${point}: ${problem}`);
  for (const failure of failures.slice(0, 20)) console.log(failure);
}

if (import.meta.main) {
  const usage = `node test/flows/demand-kill.ts [--trials N] [--seed N]

  --trials N  processes to kill (default 30)
  --seed N    of who asks for what, and when what is killed (default 1)`;
  const { values } = readCommandLine(usage, {
    options: { trials: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
  });
  // Each as it comes: a run takes long, and its end compares all calls with walked.json.
  const report = await demandKillTrials(Number(values.trials), Number(values.seed), WISHES, (trial) =>
    console.log(JSON.stringify(trial)),
  );
  tell(report);
  if (report.failed > 0 || report.trials.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
}

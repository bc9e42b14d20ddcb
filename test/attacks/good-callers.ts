/**
 * What good callers keep while a flood goes on, in ratios of one run. Read the ratios; the rates are the machine's.
 *
 * The machine may be busy with other work, which takes a core away for a second here and there. So what is judged is
 * the processor time of the broker's instance for each granted exchange, with everything that the flood made it do,
 * and the rate of a flood is meant in seconds of that processor time. Both are then what they would be if the
 * instance had a core to itself and the services that it calls had others, as they have in Azure.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { type Broker, formOf, startBroker } from './broker.ts';
import { type Flood, floods, MIN_SHARE, sameRateOf404s } from './floods.ts';
import { instancesOf, processesOf, processorMs, residentMiB, rotatorsOf } from './measure.ts';
import type { Pressure, Seconds } from './pressure.ts';

const CALLERS = 20;
const CONNECTIONS = 8;
/** 404s and flood by turns, in the order A B B A, so that a machine or a heap that changes does so for both. */
const ROUNDS = 8;
/** Until then V8 is still compiling, and the first windows would cost more than the last. */
const WARM_UP_SECONDS = 8;
const SAMPLE_MS = 500;
const INITIAL_SETTLE_MS = 500;

export interface UnderFlood {
  readonly what: string;
  /** Requests of the flood in a second of the instance's processor time, as far as they could be sent. */
  readonly floodPerSecond: number;
  /** Processor time of the instance for each granted exchange, in µs, beside as many 404s and beside the flood. */
  readonly beside404sMicros: number;
  readonly besideFloodMicros: number;
  /** The first by the second: the median of the rounds. */
  readonly share: number;
  /** Exchanges by wall time, beside the flood by beside 404s: what else the machine did is in it. The median, too. */
  readonly wallShare: number;
  /** Good callers' exchanges that were not granted, of how many. */
  readonly failed: number;
  readonly of: number;
  readonly riseMiB: number;
  readonly problems: readonly string[];
}

/**
 * @param only floods with this in their names
 * @param checkout the product that is flooded; initially this one
 */
export async function floodAll(
  seconds: number,
  each: (row: UnderFlood) => void,
  only = '',
  checkout?: string,
): Promise<UnderFlood[]> {
  const rows: UnderFlood[] = [];
  for (const flood of floods.filter(({ what }) => what.includes(only))) {
    // Each its own broker: what one leaves behind is not the next one's.
    await using broker = await startBroker(checkout);
    pin(broker);
    const row = await underFlood(broker, flood, seconds);
    rows.push(row);
    each(row);
  }
  return rows;
}

interface Window {
  readonly granted: number;
  readonly failed: number;
  readonly processorMs: number;
  readonly wallMs: number;
  readonly sent: number;
}

async function underFlood(broker: Broker, flood: Flood, seconds: number): Promise<UnderFlood> {
  const bodies = await bodiesOfCallers(broker);
  const instances = instancesOf(broker.stack.pid);
  // Where the system does not tell processor time, wall time stands for it.
  const usedMs = (): number => processorMs(instances) ?? performance.now();
  const pace: Seconds = () => usedMs() / 1000;
  await exchanges(broker, bodies, WARM_UP_SECONDS);
  const beforeMiB = residentMiB(instances);
  let highestMiB = beforeMiB;
  const settleMs = flood.settleMs ?? INITIAL_SETTLE_MS;
  async function under(pressure: Pressure): Promise<Window> {
    const sampling = setInterval(() => {
      highestMiB = Math.max(highestMiB, residentMiB(instances));
    }, SAMPLE_MS);
    try {
      await sleep(settleMs);
      const [beganMs, beganUsedMs, beganSent] = [performance.now(), usedMs(), pressure.sent];
      const counted = await exchanges(broker, bodies, seconds);
      return {
        ...counted,
        processorMs: usedMs() - beganUsedMs,
        wallMs: performance.now() - beganMs,
        sent: pressure.sent - beganSent,
      };
    } finally {
      clearInterval(sampling);
      pressure.stop();
      await sleep(500);
    }
  }
  const beside404s = () => under(sameRateOf404s(flood, broker, pace));
  const besideFlood = async () => under(await flood.start(broker, pace));
  const quiet: Window[] = [];
  const pressed: Window[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 2 === 0) quiet.push(await beside404s());
    pressed.push(await besideFlood());
    if (round % 2 === 1) quiet.push(await beside404s());
  }
  const ratios = (cost: (window: Window) => number): number =>
    rounded(median(quiet.map((one, round) => cost(one) / cost(pressed[round] ?? one))));
  const share = ratios(microsPerExchange);
  const failed = pressed.reduce((sum, one) => sum + one.failed, 0);
  const riseMiB = highestMiB - beforeMiB;
  const problems = [
    ...(share < MIN_SHARE ? [`good callers keep ${share}, at least ${MIN_SHARE}`] : []),
    ...(failed > 0 ? [`${failed} exchanges of good callers failed`] : []),
    ...(flood.maxRiseMiB !== undefined && riseMiB > flood.maxRiseMiB
      ? [`memory rises by ${riseMiB} MiB, at most ${flood.maxRiseMiB}`]
      : []),
  ];
  return {
    what: flood.what,
    floodPerSecond: Math.round(median(pressed.map((one) => (one.sent * 1000) / one.processorMs))),
    beside404sMicros: Math.round(median(quiet.map(microsPerExchange))),
    besideFloodMicros: Math.round(median(pressed.map(microsPerExchange))),
    share,
    wallShare: ratios(({ wallMs, granted }) => wallMs / Math.max(1, granted)),
    failed,
    of: pressed.reduce((sum, one) => sum + one.granted, failed),
    riseMiB,
    problems,
  };
}

const microsPerExchange = ({ processorMs: used, granted }: Window): number =>
  (used * 1000) / Math.max(1, granted);
const rounded = (ratio: number): number => Math.round(ratio * 100) / 100;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[low] ?? Number.NaN) + (sorted[high] ?? Number.NaN)) / 2;
}

async function bodiesOfCallers(broker: Broker): Promise<string[]> {
  const bodies: string[] = [];
  for (let index = 0; index < CALLERS; index += 1) {
    const [oid, uti] = [crypto.randomUUID(), crypto.randomUUID().replaceAll('-', '').slice(0, 22)];
    bodies.push(formOf(await broker.signed({ oid, sub: oid, uti })));
  }
  return bodies;
}

async function exchanges(
  broker: Broker,
  bodies: readonly string[],
  seconds: number,
): Promise<{ granted: number; failed: number }> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const result = await autocannon({
    url: `${broker.url}/oauth2/token`,
    connections: CONNECTIONS,
    duration: seconds,
    method: 'POST',
    requests: bodies.map((body) => ({ body, headers })),
  });
  return { granted: result.requests.total - result.non2xx, failed: result.non2xx + result.errors };
}

/** Load and broker on cores of their own, where the system can do that. */
function pin(broker: Broker): void {
  if (availableParallelism() < 2 || spawnSync('taskset', ['--version']).error !== undefined) return;
  for (const pid of processesOf(broker.stack.pid)) spawnSync('taskset', ['-acp', '0', String(pid)]);
  // In Azure the rotator app has processors of its own. Here it takes what the others leave.
  for (const pid of rotatorsOf(broker.stack.pid)) spawnSync('renice', ['-n', '15', '-p', String(pid)]);
  spawnSync('taskset', ['-acp', '1', String(process.pid)]);
}

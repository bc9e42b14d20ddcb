/** What good callers keep while a flood goes on, in ratios of one run. Read the ratios; the rates are the machine's. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { type Broker, formOf, startBroker } from './broker.ts';
import { type Flood, floods, MIN_SHARE, sameRateOf404s } from './floods.ts';
import { instancesOf, processesOf, residentMiB } from './measure.ts';
import type { Pressure } from './pressure.ts';

const CALLERS = 20;
const CONNECTIONS = 8;
/** 404s and flood by turns, so that a machine that gets slower does so for both. */
const ROUNDS = 2;
const SAMPLE_MS = 500;
const INITIAL_SETTLE_MS = 500;

export interface UnderFlood {
  readonly what: string;
  /** Requests of the flood in a second, as far as they could be sent. */
  readonly floodPerSecond: number;
  /** Exchanges of good callers in a second beside as many 404s, and beside the flood. */
  readonly beside404s: number;
  readonly besideFlood: number;
  /** The second by the first. */
  readonly share: number;
  /** Good callers' exchanges that were not granted, of how many. */
  readonly failed: number;
  readonly of: number;
  readonly riseMiB: number;
  readonly problems: readonly string[];
}

/** @param checkout the product that is flooded; initially this one */
export async function floodAll(
  seconds: number,
  each: (row: UnderFlood) => void,
  checkout?: string,
): Promise<UnderFlood[]> {
  const rows: UnderFlood[] = [];
  for (const flood of floods) {
    // Each its own broker: what one leaves behind is not the next one's.
    await using broker = await startBroker(checkout);
    pin(broker);
    const row = await underFlood(broker, flood, seconds);
    rows.push(row);
    each(row);
  }
  return rows;
}

async function underFlood(broker: Broker, flood: Flood, seconds: number): Promise<UnderFlood> {
  const bodies: string[] = [];
  for (let index = 0; index < CALLERS; index += 1) {
    const [oid, uti] = [crypto.randomUUID(), crypto.randomUUID().replaceAll('-', '').slice(0, 22)];
    bodies.push(formOf(await broker.signed({ oid, sub: oid, uti })));
  }
  const instances = instancesOf(broker.stack.pid);
  await exchanges(broker, bodies, 2);
  const beforeMiB = residentMiB(instances);
  let highestMiB = beforeMiB;
  const settleMs = flood.settleMs ?? INITIAL_SETTLE_MS;
  const quiet = { granted: 0, failed: 0 };
  const pressed = { granted: 0, failed: 0 };
  let sent = 0;
  async function phase(pressure: Pressure, into: typeof quiet): Promise<void> {
    const sampling = setInterval(() => {
      highestMiB = Math.max(highestMiB, residentMiB(instances));
    }, SAMPLE_MS);
    try {
      await sleep(settleMs);
      const { granted, failed } = await exchanges(broker, bodies, seconds);
      into.granted += granted;
      into.failed += failed;
    } finally {
      clearInterval(sampling);
      pressure.stop();
      await sleep(500);
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    await phase(sameRateOf404s(flood, broker), quiet);
    const pressure = await flood.start(broker);
    await phase(pressure, pressed);
    sent += pressure.sent;
  }
  const perSecond = (count: number): number => Math.round(count / (seconds * ROUNDS));
  const share = Math.round((pressed.granted / Math.max(1, quiet.granted)) * 100) / 100;
  const riseMiB = highestMiB - beforeMiB;
  const problems = [
    ...(share < MIN_SHARE ? [`good callers keep ${share}, at least ${MIN_SHARE}`] : []),
    ...(pressed.failed > 0 ? [`${pressed.failed} exchanges of good callers failed`] : []),
    ...(flood.maxRiseMiB !== undefined && riseMiB > flood.maxRiseMiB
      ? [`memory rises by ${riseMiB} MiB, at most ${flood.maxRiseMiB}`]
      : []),
  ];
  return {
    what: flood.what,
    floodPerSecond: Math.round(sent / (ROUNDS * (seconds + settleMs / 1_000))),
    beside404s: perSecond(quiet.granted),
    besideFlood: perSecond(pressed.granted),
    share,
    failed: pressed.failed,
    of: pressed.granted + pressed.failed,
    riseMiB,
    problems,
  };
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
  spawnSync('taskset', ['-acp', '1', String(process.pid)]);
}

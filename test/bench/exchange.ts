/**
 * Exchanges with a cached token over the broker's real wire: embedded host, Azurite behind TLS and roles, durable audit,
 * a look at the head for each (freshness 0 s). What is compared is measured in turn, again and again, so that whatever
 * else the machine does strikes all of it.
 *
 * Three others under the same load: `floor`, bare node:http with jose; `hostFloor`, the same exchange as a function in the
 * broker's own host; and oidc-provider's token exchange, in memory, with neither audit nor revocation.
 */
import { exportJWK } from 'jose';
import { coresSaid } from './cores.ts';
import {
  DISTINCT_CALLERS,
  hundredths,
  load,
  type Rate,
  type Spread,
  spread,
  startServer,
  type Target,
} from './load.ts';
import type { BenchOptions } from './options.ts';
import { type Stack, startStack, type Wish } from './stack.ts';
import { createSubjectTokens } from './subject-tokens.ts';

/** Until then V8 is still compiling, for a large program longer than for a small one. */
const WARM_UP_REQUESTS = 15_000;
const CONNECTIONS = 32;
const CAPTIONS = { caller: 'captions', resource: 'speech', callers: DISTINCT_CALLERS } as const;
const KINDS: Readonly<Record<'sts' | 'entra' | 'obo', Wish>> = {
  sts: { ...CAPTIONS, tokenKind: 'sts' },
  entra: { caller: 'nightly', resource: 'chat', tokenKind: 'entra', callers: DISTINCT_CALLERS },
  obo: { caller: 'ada', resource: 'chat', tokenKind: 'obo', callers: DISTINCT_CALLERS },
};

type Rates = Readonly<Record<keyof Omit<Rate, 'count'>, Spread>>;

export async function exchangeBench(options: BenchOptions): Promise<Record<string, unknown>> {
  const key = await createSubjectTokens();
  const servers = await Promise.all([
    startServer('./floor.ts'),
    startServer('./bare-host.ts', { BENCH_KEY: JSON.stringify(await exportJWK(key.publicKey)) }),
    startServer('./oidc-provider.ts'),
  ]);
  await using stack = await startStack();
  try {
    const [floor, bare, oidcProvider] = servers;
    const targets: Record<string, Target> = {
      exchange: await stack.target(CAPTIONS),
      floor,
      hostFloor: { ...bare, url: `${bare.url}/oauth2/token`, bodies: key.bodies },
      oidcProvider,
    };
    for (const target of Object.values(targets))
      await load(target, {
        connections: CONNECTIONS,
        length: { requests: options.quick ? 500 : WARM_UP_REQUESTS },
      });
    const calls: number[] = [];
    const runs = await inTurn(options, targets, async (target) => {
      const [rate, tableCalls] = await stack.tableCalls(() => busy(options, target));
      if (target === targets['exchange']) calls.push(tableCalls / rate.count);
      return rate;
    });
    const ours = runs['exchange'] ?? [];
    const per = (name: string, of: (other: Rate, our: Rate) => number | undefined): Spread =>
      spread(ours.map((our, round) => of(runs[name]?.[round] ?? our, our) ?? Number.NaN));
    const byRate = (other: Rate, our: Rate) => our.perSecond / other.perSecond;
    const byCpu = (other: Rate, our: Rate) =>
      our.cpuMicros === undefined || other.cpuMicros === undefined
        ? undefined
        : other.cpuMicros / our.cpuMicros;
    const medians = (name: string) => mediansOf(runs[name] ?? []);
    return {
      exchange: {
        ...medians('exchange'),
        ofFloor: per('floor', byRate).median,
        ofOidcProvider: per('oidcProvider', byRate).median,
        tableCallsPerExchange: spread(calls).median,
        connections: CONNECTIONS,
        distinctCallers: DISTINCT_CALLERS,
        cores: coresSaid,
        runs: spreads(ours),
        byCpu: {
          ofFloor: per('floor', byCpu),
          ofHostFloor: per('hostFloor', byCpu),
          ofOidcProvider: per('oidcProvider', byCpu),
        },
        byRate: {
          ofFloor: per('floor', byRate),
          ofHostFloor: per('hostFloor', byRate),
          ofOidcProvider: per('oidcProvider', byRate),
        },
      },
      floor: medians('floor'),
      hostFloor: medians('hostFloor'),
      oidcProvider: medians('oidcProvider'),
      connections: await overConnections(options, targets['exchange'] ?? floor),
      kinds: await overKinds(options, stack),
      callers: await overCallers(options, stack),
      tables: await overTables(options, stack),
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

const busy = ({ seconds }: BenchOptions, target: Target, connections = CONNECTIONS): Promise<Rate> =>
  load(target, { connections, length: { seconds } });

/** Each case once a round. */
async function inTurn<Case>(
  { rounds }: BenchOptions,
  cases: Readonly<Record<string, Case>>,
  run: (one: Case) => Promise<Rate>,
): Promise<Record<string, Rate[]>> {
  const all: Record<string, Rate[]> = {};
  for (let round = 0; round < rounds; round += 1)
    for (const [name, one] of Object.entries(cases)) {
      all[name] ??= [];
      all[name].push(await run(one));
    }
  return all;
}

async function spreadsInTurn<Case>(
  options: BenchOptions,
  cases: Readonly<Record<string, Case>>,
  run: (one: Case) => Promise<Rate>,
): Promise<Record<string, Rates>> {
  const all = await inTurn(options, cases, run);
  return Object.fromEntries(Object.entries(all).map(([name, rates]) => [name, spreads(rates)]));
}

async function overConnections(options: BenchOptions, target: Target): Promise<Record<string, Rates>> {
  const cases = Object.fromEntries([1, 8, 32, 128].map((connections) => [connections, connections]));
  return spreadsInTurn(options, cases, (connections) => busy(options, target, connections));
}

async function overKinds(options: BenchOptions, stack: Stack): Promise<Record<string, Rates>> {
  const targets: Record<string, Target> = {};
  for (const [kind, wish] of Object.entries(KINDS)) {
    const target = await stack.target(wish);
    // Every token is bought once, on behalf of each sign-in.
    await load(target, { connections: 4, length: { requests: 2 * wish.callers } });
    targets[kind] = target;
  }
  return spreadsInTurn(options, targets, (target) => busy(options, target));
}

/** With more callers than the cache of verified callers holds, each exchange is a miss: a signature is checked. */
async function overCallers(options: BenchOptions, stack: Stack): Promise<Record<string, unknown>> {
  const targets: Record<string, Target> = {};
  for (const callers of options.quick ? [1, 100] : [1, 1_000, 10_000])
    targets[callers] = await stack.target({ ...CAPTIONS, callers });
  const seen = new Map<Target, number>();
  const misses: Record<string, number[]> = {};
  const found = await spreadsInTurn(options, targets, async (target) => {
    const rate = await busy(options, target);
    const before = seen.get(target) ?? 0;
    seen.set(target, before + rate.count);
    const name = String(target.bodies.length);
    misses[name] ??= [];
    // Bodies go round: the first time that a caller comes is a miss, and no other while the cache holds them all.
    misses[name].push(
      Math.max(0, Math.min(target.bodies.length, rate.count) - (before > 0 ? rate.count : 0)) / rate.count,
    );
    return rate;
  });
  return { ...found, firstTimeShare: misses };
}

/**
 * Tables that answer later. `ofTableCall` is the middle latency of an exchange over that of a caller who comes alone,
 * who waits for one write of the audit and one look, both under way at once.
 */
async function overTables(options: BenchOptions, stack: Stack): Promise<Record<string, unknown>> {
  const target = await stack.target(CAPTIONS);
  const of: Record<string, number[]> = {};
  const open: Record<string, Rate[]> = {};
  const cases = Object.fromEntries([0, 5, 10, 20].map((delayMs) => [`${delayMs} ms`, delayMs]));
  const closed = await spreadsInTurn(options, cases, async (delayMs) => {
    if (delayMs === 0) await stack.control('DELETE', '/faults/tables');
    else await stack.control('PUT', '/faults/tables', { mode: 'slow', delayMs });
    const name = `${delayMs} ms`;
    const alone = await busy(options, target, 1);
    const rate = await busy(options, target);
    of[name] ??= [];
    of[name].push(rate.p50Ms / alone.p50Ms);
    open[name] ??= [];
    open[name].push(
      await load(target, {
        connections: 256,
        length: { seconds: options.seconds },
        perSecond: rate.perSecond / 2,
      }),
    );
    return rate;
  });
  await stack.control('DELETE', '/faults/tables');
  const all = (rates: Record<string, Rate[]>) =>
    Object.fromEntries(Object.entries(rates).map(([name, each]) => [name, spreads(each)]));
  return {
    closed,
    openAtHalfTheRate: all(open),
    ofAloneP50: Object.fromEntries(Object.entries(of).map(([name, each]) => [name, spread(each)])),
  };
}

const FIGURES = ['perSecond', 'p50Ms', 'p99Ms', 'p999Ms', 'cpuMicros'] as const;

function spreads(rates: readonly Rate[]): Rates {
  return Object.fromEntries(
    FIGURES.map((figure) => [figure, spread(rates.map((rate) => rate[figure] ?? Number.NaN))]),
  ) as unknown as Rates;
}

function mediansOf(rates: readonly Rate[]): Record<string, number> {
  return Object.fromEntries(
    Object.entries(spreads(rates)).map(([name, { median }]) => [name, hundredths(median)]),
  );
}

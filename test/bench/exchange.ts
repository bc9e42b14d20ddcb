/**
 * The broker's cached STS exchange over its real wire (embedded host, Azurite, audit, freshness 0 s) against
 * the floor and against oidc-provider's token exchange: three servers, each a process of its own, under the
 * same load in turn, so that whatever else the machine does strikes all three.
 */
import { CONNECTIONS, DISTINCT_CALLERS, load, median, type Rate, startServer, type Target } from './load.ts';
import { startStack } from './stack.ts';

/** Until then V8 is still compiling, for a large program longer than for a small one. */
const WARM_UP_REQUESTS = 30_000;
const ROUND_SECONDS = 3;
const ROUNDS = 5;

export interface ExchangeBench {
  readonly exchange: Rate & {
    readonly ofFloor: number;
    readonly ofOidcProvider: number;
    readonly tableCallsPerExchange: number;
    readonly connections: number;
    readonly distinctCallers: number;
  };
  readonly floor: Rate;
  readonly oidcProvider: Rate;
}

/** Medians over the rounds. */
export async function exchangeBench(): Promise<ExchangeBench> {
  const servers = await Promise.all([startServer('./floor.ts'), startServer('./oidc-provider.ts')]);
  const stack = await startStack();
  try {
    const [floor, oidcProvider] = servers;
    const broker = {
      url: stack.tokenUrl,
      bodies: await stack.bodies('captions', 'speech', DISTINCT_CALLERS),
    };
    const targets: readonly Target[] = [floor, oidcProvider, broker];
    for (const target of targets) await load(target, { requests: WARM_UP_REQUESTS });

    const rounds: Rate[][] = targets.map(() => []);
    const tableCalls: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, target] of targets.entries()) {
        const { last } = await stack.requests('tables', Number.MAX_SAFE_INTEGER);
        const rate = await load(target, { seconds: ROUND_SECONDS });
        rounds[index]?.push(rate);
        if (target === broker)
          tableCalls.push((await stack.requests('tables', last)).requests.length / rate.count);
      }
    }
    const [ofFloor, ofProvider, ofBroker] = rounds.map(medians) as [Rate, Rate, Rate];
    return {
      exchange: {
        ...ofBroker,
        ofFloor: rounded(ofBroker.perSecond / ofFloor.perSecond),
        ofOidcProvider: rounded(ofBroker.perSecond / ofProvider.perSecond),
        tableCallsPerExchange: rounded(median(tableCalls)),
        connections: CONNECTIONS,
        distinctCallers: DISTINCT_CALLERS,
      },
      floor: ofFloor,
      oidcProvider: ofProvider,
    };
  } finally {
    await Promise.all([...servers.map((server) => server.stop()), stack.stop()]);
  }
}

function medians(rates: readonly Rate[]): Rate {
  return {
    perSecond: median(rates.map(({ perSecond }) => perSecond)),
    p50Ms: median(rates.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rates.map(({ p99Ms }) => p99Ms)),
  };
}

const rounded = (value: number) => Math.round(value * 1000) / 1000;

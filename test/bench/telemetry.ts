/** What telemetry costs, off and on in turn: the processor time of an exchange, and of a first answer beside hello-world's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../infra/build.ts';
import { startCollector } from '../telemetry/collector.ts';
import { bundleHello, compileHost, firstAnswer, firstRequests } from './coldstart.ts';
import { DISTINCT_CALLERS, load, type Spread, spread } from './load.ts';
import type { BenchOptions } from './options.ts';
import { startStack } from './stack.ts';

const CONNECTIONS = 32;

export async function telemetryBench({ rounds, seconds }: BenchOptions) {
  await using collector = await startCollector();
  const on = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  return {
    /** How much of the rate is left with it on, by the processor. */
    rateOnOfOff: await exchanges(on, rounds, seconds),
    ...(await firstAnswers(on, rounds)),
    spans: collector.spans.length,
  };
}

async function exchanges(
  on: Readonly<Record<string, string>>,
  rounds: number,
  seconds: number,
): Promise<Spread> {
  await using quiet = await startStack();
  await using watched = await startStack({ environment: on });
  const wish = { caller: 'captions', resource: 'speech', callers: DISTINCT_CALLERS };
  const targets = [await quiet.target(wish), await watched.target(wish)];
  const cost = async (at: number, length: number): Promise<number> => {
    const target = targets[at];
    if (target === undefined) return Number.NaN;
    const { cpuMicros } = await load(target, { connections: CONNECTIONS, length: { seconds: length } });
    return cpuMicros ?? Number.NaN;
  };
  for (const at of targets.keys()) await cost(at, 3);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const off = await cost(0, seconds);
    ratios.push(off / (await cost(1, seconds)));
  }
  return spread(ratios);
}

async function firstAnswers(on: Readonly<Record<string, string>>, rounds: number) {
  const folder = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
  await using stack = await startStack();
  try {
    const { issuer } = stack.description.environment;
    await build('issuer', join(folder, 'app'), [String(issuer['BROKER_POLICY'])]);
    await bundleHello(join(folder, 'hello'));
    const host = await compileHost(folder);
    const { hello, refused } = await firstRequests(stack, folder);
    const cpu = { hello: [] as number[], off: [] as number[], on: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      cpu.hello.push((await firstAnswer(host, hello, issuer)).cpuMs);
      cpu.off.push((await firstAnswer(host, refused, issuer)).cpuMs);
      cpu.on.push((await firstAnswer(host, refused, { ...issuer, ...on })).cpuMs);
    }
    const of = (kind: 'off' | 'on') =>
      Number((spread(cpu[kind]).median / spread(cpu.hello).median).toFixed(2));
    return { coldOffOfHello: of('off'), coldOnOfHello: of('on') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

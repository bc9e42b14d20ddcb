/**
 * What telemetry costs, by the processor time of the issuer: its cold start off and on against hello-world's and, with
 * BROKER_BENCH_BEFORE naming a built issuer of another commit, against that one's; and its cached exchanges on and off.
 * All in turn, so that whatever else the machine does strikes all alike.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../infra/build.ts';
import { startCollector } from '../telemetry/collector.ts';
import { bundleHello, firstAnswer, HELLO, REFUSED_EXCHANGE, settingsFor } from './coldstart.ts';
import { load, median } from './load.ts';
import { startStack } from './stack.ts';

const root = join(import.meta.dirname, '../..');
const STARTS = 11;
const WARM_UP = 15_000;
const ROUND = 6_000;
const ROUNDS = 9;
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

export async function telemetryBench(): Promise<Record<string, unknown>> {
  return { ...(await coldStarts()), ...(await exchanges()) };
}

async function coldStarts(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
  const tables = createServer((request, response) => {
    const status = request.method === 'GET' ? 200 : 204;
    request.resume().on('end', () => response.writeHead(status, { etag: 'W/"1"' }).end());
  }).listen(0, '127.0.0.1');
  await once(tables, 'listening');
  await using collector = await startCollector();
  try {
    const [hello, app] = [join(folder, 'hello'), join(folder, 'app')];
    await build('issuer', app, join(root, 'infra/policy.json'));
    await bundleHello(hello);
    const off = settingsFor(`http://127.0.0.1:${(tables.address() as AddressInfo).port}/devstoreaccount1`);
    const on = { ...off, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const before = process.env['BROKER_BENCH_BEFORE'] ?? app;
    const took = { hello: [] as number[], before: [] as number[], off: [] as number[], on: [] as number[] };
    for (let start = 0; start < STARTS; start += 1) {
      took.hello.push((await firstAnswer(hello, {}, HELLO)).processorMs);
      took.before.push((await firstAnswer(before, off, REFUSED_EXCHANGE)).processorMs);
      took.off.push((await firstAnswer(app, off, REFUSED_EXCHANGE)).processorMs);
      took.on.push((await firstAnswer(app, on, REFUSED_EXCHANGE)).processorMs);
    }
    const ms = (kind: keyof typeof took): number => median(took[kind]);
    return {
      coldOffOfBefore: rounded(ms('off') / ms('before')),
      coldOnOfHello: rounded(ms('on') / ms('hello')),
      coldOffOfHello: rounded(ms('off') / ms('hello')),
    };
  } finally {
    tables.close();
    tables.closeAllConnections();
    rmSync(folder, { recursive: true });
  }
}

/** Exchanges for a millisecond of the processor: with telemetry on, of those with it off. */
async function exchanges(): Promise<Record<string, number>> {
  await using collector = await startCollector();
  const stacks = [await startStack(), await startStack({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })];
  try {
    const targets = await Promise.all(
      stacks.map(async (stack) => ({
        url: stack.tokenUrl,
        bodies: await stack.bodies('captions', 'speech', 50),
      })),
    );
    for (const target of targets) await load(target, { requests: WARM_UP });
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const spent: number[] = [];
      for (const [at, target] of targets.entries()) {
        const before = stacks[at]?.processorMs() ?? 0;
        await load(target, { requests: ROUND });
        spent.push((stacks[at]?.processorMs() ?? 0) - before);
      }
      const [off = 0, on = 0] = spent;
      ratios.push(off / on);
    }
    return {
      rateOnOfOff: rounded(median(ratios)),
      lowest: rounded(Math.min(...ratios)),
      spans: collector.spans.length,
    };
  } finally {
    await Promise.all(stacks.map((stack) => stack.stop()));
  }
}

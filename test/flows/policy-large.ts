/**
 * A policy of ten thousand resources, changed under load: `node test/flows/policy-large.ts --resources 10000`. It is
 * grown by patches, since no request holds all of it. Each instance compiles the new one beside the old one: told are
 * the exchanges of a quiet time against those while it is changed, and the memory before and after.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine } from '../../src/command-line.ts';
import { descendants } from '../local/started.ts';
import { policyHand } from './policy-hand.ts';
import { type Exchanged, startLoad } from './policy-trials.ts';
import { percentile } from './revocation-trials.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

const AT_ONCE = 1_000;
const QUIET_MS = 20_000;
const BETWEEN_MS = 1_000;

export async function policyLarge(resources: number, changes: number, perSecond: number) {
  await using stack = await startStack(['--instances', '3'], NO_TIMER);
  await stack.warm();
  const hand = await policyHand(stack);
  const load = await startLoad(stack, perSecond);
  try {
    await load.warm();
    const memoryBefore = memoryOf(stack);
    const quietFromMs = performance.now();
    await wait(QUIET_MS);
    const growFromMs = performance.now();
    let { version } = await hand.read();
    for (let made = 0; made < resources; made += AT_ONCE) {
      const patch = Array.from({ length: Math.min(AT_ONCE, resources - made) }, (_, index) => ({
        op: 'add',
        path: '/resources/-',
        value: resourceNumber(made + index),
      }));
      const { status, body } = await hand.put({ patch, reason: 'it grows' }, version);
      assert.equal(status, 200, JSON.stringify(body));
      version = String(body['version']);
    }
    const changeFromMs = performance.now();
    const took: number[] = [];
    for (let change = 0; change < changes; change += 1) {
      const patch = [{ op: 'replace', path: '/resources/0/region', value: `trial${change}` }];
      const sentAtMs = performance.now();
      const { status, body } = await hand.put({ patch, reason: 'a change' }, version);
      took.push(performance.now() - sentAtMs);
      assert.equal(status, 200, JSON.stringify(body));
      version = String(body['version']);
      await wait(BETWEEN_MS);
    }
    const endMs = performance.now();
    const memoryAfter = memoryOf(stack);
    const exchanged = await load.stop();
    took.sort((one, other) => one - other);
    return {
      resources,
      quiet: rowOf(exchanged, quietFromMs, growFromMs),
      'while it grows': rowOf(exchanged, growFromMs, changeFromMs),
      'while it changes': rowOf(exchanged, changeFromMs, endMs),
      'change p50 ms': percentile(took, 0.5),
      'change p99 ms': percentile(took, 0.99),
      'resident MiB before': memoryBefore,
      'resident MiB after': memoryAfter,
    };
  } finally {
    await load.stop();
  }
}

const resourceNumber = (number: number) => ({
  name: `large-${number}`,
  accountId: `/subscriptions/5b0c7f3e-81d4-4a69-b2e7-c3f60d9a1e50/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/large-${number}`,
  kind: 'TextTranslation',
  region: 'westeurope',
  endpoint: `https://large-${number}.cognitiveservices.azure.com`,
  tokenKinds: ['entra'],
});

function rowOf(exchanged: readonly Exchanged[], fromMs: number, toMs: number) {
  const counted = exchanged.filter(({ beganAtMs }) => beganAtMs >= fromMs && beganAtMs < toMs);
  const times = counted.map(({ beganAtMs, endedAtMs }) => endedAtMs - beganAtMs).toSorted((a, b) => a - b);
  return {
    exchanges: counted.length,
    failed: counted.filter(({ status }) => status !== 200).length,
    'p50 ms': percentile(times, 0.5),
    'p99 ms': percentile(times, 0.99),
  };
}

/** Of each instance of the issuer app. */
function memoryOf({ pid }: Stack): readonly number[] {
  const below = new Set(descendants(pid));
  return execFileSync('ps', ['-ww', '-A', '-o', 'pid=,rss=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, id, rss, args = ''] = /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(line) ?? [];
      return below.has(Number(id)) && args.includes('"name":"instance-')
        ? [Math.round(Number(rss) / 1024)]
        : [];
    });
}

if (import.meta.main) {
  const usage = `node test/flows/policy-large.ts [--resources N] [--changes N] [--rate N]

  --resources N  of the policy (default 10000)
  --changes N    afterwards, a second apart (default 10)
  --rate N       exchanges a second meanwhile (default 60)`;
  const { values } = readCommandLine(usage, {
    options: {
      resources: { type: 'string', default: '10000' },
      changes: { type: 'string', default: '10' },
      rate: { type: 'string', default: '60' },
    },
  });
  const [resources, changes, rate] = [values.resources, values.changes, values.rate].map(Number);
  console.log(JSON.stringify(await policyLarge(resources ?? 0, changes ?? 0, rate ?? 0), undefined, 2));
}

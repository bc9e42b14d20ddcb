/**
 * `node test/bench/soak.ts [--minutes N] [--share X] [--json]`: three instances at three quarters of what they can do,
 * with tables that take 10 ms, a rotation of the keys every ten minutes and a revocation of somebody else every second.
 * Not one exchange may fail, and memory may not grow: it is compared between the first five minutes and the last.
 */
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import { callerToken, deliver, ownEvent } from '../local/local-mode.ts';
import { coresSaid, leaveServersCore } from './cores.ts';
import { DISTINCT_CALLERS, hundredths, load, type Rate, type Target } from './load.ts';
import { print } from './print.ts';
import { residentMiB, type Stack, startStack } from './stack.ts';

const INSTANCES = 3;
const TABLES_MS = 10;
const CONNECTIONS = 64;
const ROTATE_EVERY_MS = 600_000;
const SAMPLE_EVERY_MS = 1_000;

const usage = `node test/bench/soak.ts [--minutes N] [--share X] [--json]

  --minutes N  how long (default 30)
  --share X    of the rate that the instances can do (default 0.75)
  --json       the last line is one JSON object`;
const { values } = readCommandLine(usage, {
  options: {
    minutes: { type: 'string', default: '30' },
    share: { type: 'string', default: '0.75' },
    json: { type: 'boolean' },
  },
});
const [minutes, share] = [Number(values.minutes), Number(values.share)];
if (!(minutes > 0)) wrongUsage(usage, '--minutes: not a number of minutes');
if (!(share > 0 && share <= 1)) wrongUsage(usage, '--share: not a share');

leaveServersCore();
console.log(coresSaid);
await using stack = await startStack({ instances: INSTANCES });
const targets: Target[] = [];
for (let instance = 0; instance < INSTANCES; instance += 1)
  targets.push(
    await stack.target({ caller: 'captions', resource: 'speech', callers: DISTINCT_CALLERS }, instance),
  );
await stack.control('PUT', '/faults/tables', { mode: 'slow', delayMs: TABLES_MS });

const all = <Result>(run: (target: Target) => Promise<Result>): Promise<Result[]> =>
  Promise.all(targets.map(run));
/** Until the compiler is done; then the rate at which each connection sends as soon as it has an answer. */
await all((target) => load(target, { connections: CONNECTIONS, length: { requests: 5_000 } }));
const knee = await all((target) => load(target, { connections: CONNECTIONS, length: { seconds: 10 } }));
const perSecond = Math.floor(Math.min(...knee.map((rate) => rate.perSecond)) * share);
console.log(`at most ${knee.map((rate) => rate.perSecond).join(', ')}/s; from now on ${perSecond}/s each`);

const memory: number[] = [];
const revocations = { asked: 0, refused: 0 };
const timers = [
  setInterval(() => memory.push(Math.max(...stack.pids.map(residentMiB))), SAMPLE_EVERY_MS),
  setInterval(() => void revoke(stack), 1_000),
  setInterval(() => void rotate(stack), Math.min(ROTATE_EVERY_MS, minutes * 20_000)),
];
const rates = await all((target) =>
  load(target, { connections: 4 * CONNECTIONS, length: { seconds: minutes * 60 }, perSecond }),
).finally(() => timers.forEach(clearInterval));
const part = Math.min(300, Math.floor(memory.length / 3));
const mean = (some: readonly number[]) => hundredths(some.reduce((sum, one) => sum + one, 0) / some.length);
const result = {
  exchanges: rates.reduce((sum, { count }) => sum + count, 0),
  // The first that fails ends the run.
  failed: 0,
  perSecond: rates.reduce((sum, rate) => sum + rate.perSecond, 0),
  p50Ms: worst(rates, 'p50Ms'),
  p99Ms: worst(rates, 'p99Ms'),
  p999Ms: worst(rates, 'p999Ms'),
  revocations,
  rotations: await rotations(stack),
  rssMb: { first: mean(memory.slice(0, part)), last: mean(memory.slice(-part)), seconds: part },
};
print('soak', result);
if (values.json) console.log(JSON.stringify(result));

/** Of the instances. */
function worst(some: readonly Rate[], figure: 'p50Ms' | 'p99Ms' | 'p999Ms'): number {
  return Math.max(...some.map((rate) => rate[figure]));
}

async function revoke({ description }: Stack): Promise<void> {
  const scope = { kind: 'user', tenantId: description.entra.tenantId, objectId: crypto.randomUUID() };
  const event = ownEvent('RevocationRequested', { scope, reason: 'soak' });
  revocations.asked += 1;
  const [instance = ''] = description.instances;
  if ((await deliver(instance, [event])) !== 202) revocations.refused += 1;
}

/** What an operator does; the rotator carries it out. */
async function rotate({ description }: Stack): Promise<void> {
  const answer = await fetch(`${description.broker}/operator/accounts/speech/rotate`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await callerToken(description, 'operator')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ reason: 'soak' }),
  });
  if (!answer.ok) console.error(`the rotation was answered ${answer.status}: ${await answer.text()}`);
}

/** How many keys were regenerated. */
async function rotations({ requests }: Stack): Promise<number> {
  const { requests: asked } = await requests('arm', 0);
  return asked.filter(({ operation, status }) => /regenerate/i.test(operation) && status === 200).length;
}

/**
 * Full rotations of two accounts over the whole local mode, while callers exchange and use tokens and consumers
 * use the vault's current key: `node test/flows/rotation-callers.ts --rotations 3 --callers 50`.
 *
 * Virtual time moves in jumps and all but stands between them, and every caller completes a round before the
 * next: what is in flight sees one jump at most, however slow this machine is. A jump never passes the end of a token that somebody holds;
 * it lands in the token's last second, and the token is used there. Tokens die with their key here
 * (`tokensEndWithKey`, the worst that Azure may do), and one account forgets old keys at once: a slot that is
 * regenerated while a token bought with it lives fails a call.
 */
import { parseArgs } from 'node:util';
import type { Slot } from '../../src/ports.ts';
import { type RotationHand, rotationOf } from './rotation-hand.ts';
import { LAST_SECOND_MS, ROTATED, startLoad, type Tally } from './rotation-load.ts';
import { type Stack, startStack } from './stack.ts';

export interface CallersReport extends Tally {
  /** Distinct key-exchange tokens that callers had. */
  readonly tokens: number;
  /** Successful regenerations by account: two for each full rotation. */
  readonly regenerated: Readonly<Record<string, number>>;
  /** From the end of the last token bought with a key to that key's regeneration: the least of all. */
  readonly leastSpareSeconds: number;
  readonly virtualMinutes: number;
  readonly seconds: number;
}

/** A token's last second is twenty on the wall: time enough for everyone to use it. */
const SPEED = 0.05;
const MAX_JUMP_MS = 40_000;
/** As long as a token lives. */
const STS_LIFE_MS = 600_000;
const LAGS = {
  speech: { newKeyLagMs: 90_000, oldKeyLagMs: 0 },
  translator: { newKeyLagMs: 30_000, oldKeyLagMs: 45_000 },
};
/** Far more than a rotation takes: it has come to a halt. */
const MAX_MINUTES_A_ROTATION = 180;

export interface Wanted {
  readonly rotations: number;
  readonly callers: number;
  readonly consumers: number;
  /** Absent: both slots, one after the other, as in a full rotation. */
  readonly slot?: Slot;
}

export async function rotateUnderLoad(wanted: Wanted): Promise<CallersReport> {
  const { rotations, callers, consumers, slot } = wanted;
  await using stack = await startStack([], {
    BROKER_ROTATION_SCHEDULE: '0 */2 * * * *',
  });
  for (const { name } of ROTATED)
    await stack.control('PUT', `/accounts/${name}`, { ...LAGS[name], tokensEndWithKey: true });
  await stack.warm();
  await stack.control('POST', '/clock', { speed: SPEED });
  const startedAt = performance.now();
  const clock = await follow(stack);
  const startedMs = clock.now();
  const rotation = rotationOf(stack);
  const isRotating = async (name: string) => (await rotation.row(name))?.state.work !== undefined;
  const log = followKeys(rotation);
  const load = startLoad(stack, clock.now, callers, consumers);
  const jump = async (): Promise<void> => {
    await load.nextRound();
    await clock.advance(Math.min(MAX_JUMP_MS, load.firstEndMs() - LAST_SECOND_MS - clock.now()));
    await log.read();
  };

  try {
    const left = new Map<string, number>(ROTATED.map(({ name }) => [name, rotations]));
    while ([...left.values()].some((count) => count >= 0)) {
      for (const [name, count] of left) {
        if (count < 0 || (await isRotating(name))) continue;
        if (count === 0 || (await rotation.begin(name, slot))) left.set(name, count - 1);
      }
      if (clock.now() - startedMs > rotations * MAX_MINUTES_A_ROTATION * 60_000)
        throw new Error(`no end:\n${stack.log().slice(-3000)}`);
      await jump();
    }
    load.useUp();
    while (load.firstEndMs() < Number.POSITIVE_INFINITY) await jump();
    await log.read();
  } finally {
    await load.stop();
  }
  return {
    ...load.tally,
    tokens: load.tokensSeen(),
    regenerated: log.regenerated(),
    leastSpareSeconds: log.leastSpareMs() / 1000,
    virtualMinutes: Math.round((clock.now() - startedMs) / 60_000),
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

/** Virtual time as this process knows it. */
async function follow(stack: Stack) {
  let readAtMs = 0;
  let virtualMs = 0;
  const read = async (): Promise<void> => {
    const { now } = (await stack.control('GET', '/clock')) as { now: string };
    readAtMs = performance.now();
    virtualMs = Date.parse(now);
  };
  await read();
  return {
    now: () => virtualMs + (performance.now() - readAtMs) * SPEED,
    advance: async (ms: number): Promise<void> => {
      if (ms <= 0) return;
      await stack.control('POST', '/clock', { advanceSeconds: ms / 1000 });
      await read();
    },
  };
}

/** What the simulated Azure's own log says of keys: which were used to buy tokens, and when they went. */
function followKeys(rotation: RotationHand) {
  /** By account, in the order in which they came into use, which is that in which they go. */
  const lastBought = new Map<string, Map<string, number>>(ROTATED.map(({ name }) => [name, new Map()]));
  const regenerated = Object.fromEntries(ROTATED.map(({ name }) => [name, 0]));
  let last = 0;
  let leastSpareMs = Number.POSITIVE_INFINITY;
  return {
    regenerated: () => regenerated,
    leastSpareMs: () => leastSpareMs,
    read: async (): Promise<void> => {
      const asked = await rotation.requests(last);
      last = asked.last;
      for (const { at, operation, resource, status, keyFingerprint } of asked.requests) {
        const bought = lastBought.get(resource);
        if (status !== 200 || bought === undefined || keyFingerprint === null) continue;
        if (operation === 'issueToken') bought.set(keyFingerprint, Date.parse(at));
        if (operation !== 'regenerateKey') continue;
        const going = [...bought.values()][regenerated[resource] ?? 0] ?? Number.NaN;
        leastSpareMs = Math.min(leastSpareMs, Date.parse(at) - going - STS_LIFE_MS);
        regenerated[resource] = (regenerated[resource] ?? 0) + 1;
      }
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rotations: { type: 'string', default: '3' },
      callers: { type: 'string', default: '50' },
      consumers: { type: 'string', default: '4' },
    },
  });
  const report = await rotateUnderLoad({
    rotations: Number(values.rotations),
    callers: Number(values.callers),
    consumers: Number(values.consumers),
  });
  console.log(JSON.stringify({ ...report, failed: report.failures.length }, null, 2));
  if (report.failures.length > 0) process.exitCode = 1;
}

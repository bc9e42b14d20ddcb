/**
 * One schedule: rotators tick at once, late and twice, die and come back; callers buy tokens and use them to
 * their last moment; a hand outside interferes; every call may fail. Then the weather clears, and it must end
 * steady with both keys new.
 */
import { mint } from '../../src/exchange/mint.ts';
import type { Resource } from '../../src/policy/schema.ts';
import type { Slot } from '../../src/ports.ts';
import { createRotation, type KeyRotation } from '../../src/rotation/rotate.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import { Cloud } from './cloud.ts';
import { interfere } from './hand.ts';
import { Judge, type Violation } from './judge.ts';
import {
  accountsOver,
  ledgerOver,
  proofOver,
  slotsNowOver,
  stateOver,
  storeOver,
  stsOver,
  vaultOver,
  type Way,
} from './ports.ts';
import { createChance } from './random.ts';
import { createTimeline } from './timeline.ts';
import { createWire, type Process } from './wire.ts';

export interface RunReport {
  readonly violations: readonly Violation[];
  readonly steps: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const RESOURCE = 'speech';

export async function runSchedule(seed: number, trace?: (line: string) => void): Promise<RunReport> {
  const chance = createChance(seed);
  const timeline = createTimeline(START_MS);
  const cloud = new Cloud(chance, START_MS - 86_400_000);
  const wire = createWire(chance, timeline);
  const steps: Record<string, number> = {};
  const judge = new Judge(cloud, timeline, RESOURCE, trace);
  // A slow caller is most dangerous at the moment of a promotion: in some schedules it buys at none but that.
  const isEager = chance.is(0.25);
  // The schedule of the timer is a setting.
  const tickMs = isEager ? 20_000 : chance.is(0.7) ? 300_000 : chance.pick([120_000, 60_000, 20_000]);
  const resource = resourceOf(cloud, {
    mode: chance.pick(['full', 'full', 'alternating']),
    period: (tickMs > MINUTE_MS ? 45 : 15) * MINUTE_MS,
    hasConsumer: chance.is(0.4),
  });
  let processes = 0;

  const newProcess = (kind: string, isSlow = false, readsLateMs = 0): Process => {
    processes += 1;
    const offMs = chance.between(-25_000, 25_000);
    const clock = () => timeline.now() + offMs;
    return { name: `${kind}-${processes}`, clock, isSlow, readsLateMs, dead: false, callsToLive: -1 };
  };
  const eager: (() => void)[] = [];
  const onRow = ({ state: { work } }: StoredRow): void => {
    const proof = work?.phase.name === 'promoting' ? work.phase.proof : undefined;
    if (proof === undefined || proof.lastMs - proof.firstMs < MINUTE_MS || chance.is(0.5)) return;
    for (const buy of eager) timeline.at(timeline.now() + tickMs + chance.between(-3_000, 5_000), buy);
  };
  const way = (process: Process): Way => ({
    cloud,
    wire,
    timeline,
    process,
    onChange: judge.onChange,
    onText: judge.onText,
    onRow,
  });

  // --- rotators -------------------------------------------------------------------------------------
  const rotator = (): { process: Process; rotation: KeyRotation } => {
    const process = newProcess('rotator');
    const over = way(process);
    const log = (event: string, fields = {}) =>
      judge.onText(`${process.name} ${event} ${JSON.stringify(fields)}`);
    const ports = {
      vault: vaultOver(over),
      accounts: accountsOver(over),
      proof: proofOver(over),
      store: storeOver(over),
      ledger: ledgerOver(over),
      head: stateOver(over),
      clock: process.clock,
      log,
    };
    return { process, rotation: createRotation(ports, [resource], process.name, async () => undefined) };
  };
  const drive = async (
    what: (rotation: KeyRotation) => Promise<unknown>,
    instance: ReturnType<typeof rotator>,
  ) => {
    try {
      await what(instance.rotation);
    } catch (error) {
      judge.outageOnly(error);
    }
  };
  const tick = (instance: ReturnType<typeof rotator>) =>
    drive(async ({ tick }) => {
      const report = await tick();
      for (const { did } of report.steps) steps[did] = (steps[did] ?? 0) + 1;
    }, instance);

  const instances = Array.from({ length: chance.between(1, 3) }, rotator);
  const comeBack = (): void => {
    for (const [place, { process }] of instances.entries()) if (process.dead) instances[place] = rotator();
  };
  // The same occurrence twice in one process, or in others: at least once is what a timer promises.
  const tickAt = (ms: number): void => {
    for (const place of instances.keys()) {
      for (let times = chance.is(0.1) ? 2 : 1; times > 0; times -= 1) {
        timeline.at(ms + chance.pick([0, 0, 500, 3_000, 20_000]), () => {
          comeBack();
          const instance = instances[place];
          if (instance === undefined) return;
          if (wire.trouble > 0 && chance.is(0.12)) instance.process.callsToLive = chance.between(0, 14);
          void tick(instance);
        });
      }
      if (!chance.is(0.25)) return;
    }
  };

  // --- callers --------------------------------------------------------------------------------------
  const stsIsOffMs = chance.between(-25_000, 25_000);
  const caller = (): void => {
    const process = newProcess('exchange', isEager || chance.is(0.5), chance.pick([0, 0, 10_000]));
    const over = way(process);
    const exchange = {
      vault: vaultOver(over),
      sts: stsOver(over, stsIsOffMs),
      ledger: ledgerOver(over),
      slotsNow: slotsNowOver(over),
      clock: process.clock,
      instance: process.name,
    };
    const buy = async (): Promise<void> => {
      let againMs = chance.between(1, 9) * MINUTE_MS;
      try {
        const token = await mint(exchange, RESOURCE, 'speech-key', 'https://sim.invalid');
        const lifeMs = token.expiresAtMs - process.clock();
        judge.onToken(token.token, lifeMs);
        for (const part of [chance.next(), chance.next(), 1]) {
          const at = timeline.now() + Math.max(0, Math.floor(lifeMs * part) - 1);
          timeline.at(at, () => judge.useToken(token.token));
        }
      } catch (error) {
        judge.outageOnly(error);
        againMs = chance.between(5, 60) * 1000;
      }
      if (!isEager) timeline.at(timeline.now() + againMs, () => void buy());
    };
    if (isEager) eager.push(() => void buy());
    else timeline.at(START_MS + chance.between(0, 10 * MINUTE_MS), () => void buy());
  };
  for (let callers = isEager ? 1 : chance.between(1, 3); callers > 0; callers -= 1) caller();
  judge.watchCurrentKey(chance);
  const [consumer] = resource.rotation?.consumers ?? [];
  if (consumer?.kind === 'application') judge.watchConsumer(consumer.within, chance);

  // --- chaos, then calm -----------------------------------------------------------------------------
  const chaosEndsMs = START_MS + chance.between(50, 150) * (tickMs > MINUTE_MS ? MINUTE_MS : 20_000);
  wire.trouble = chance.pick([0.01, 0.03, 0.08, 0.15]);
  for (let ms = START_MS; ms < chaosEndsMs; ms += tickMs) tickAt(ms + chance.between(0, 5_000));
  const count = (what: string): void => {
    wire.faults[what] = (wire.faults[what] ?? 0) + 1;
  };
  const fromMs = START_MS + tickMs;
  if (chance.is(0.5)) interfere({ chance, cloud, timeline, judge, count, fromMs, untilMs: chaosEndsMs });
  const demand = (emergency: boolean): void =>
    timeline.at(chance.between(START_MS + tickMs, chaosEndsMs), () => {
      comeBack();
      const slot = chance.pick<Slot | undefined>(['Key1', 'Key2', undefined]);
      if (emergency) judge.onEmergency(slot);
      const [instance] = instances;
      const request = { slot, emergency, reason: emergency ? 'leaked' : 'on demand' };
      // Whoever asks, asks again until it has begun.
      const ask = async ({ retireNow }: KeyRotation): Promise<void> => {
        await retireNow(RESOURCE, request).catch(async (error) => {
          judge.outageOnly(error);
          await timeline.sleep(10_000);
          comeBack();
          if (instances[0] !== undefined) await ask(instances[0].rotation);
        });
      };
      if (instance !== undefined) void drive(ask, instance);
    });
  if (chance.is(0.25)) demand(false);
  if (chance.is(0.25)) demand(true);
  // Event Grid tells of our own writes, and twice: that must not make anything go on.
  for (let events = chance.between(0, 3); events > 0; events -= 1) {
    timeline.at(chance.between(START_MS, chaosEndsMs), () => {
      const [instance] = instances;
      if (instance !== undefined && !instance.process.dead) {
        void drive(async ({ heal }) => judge.onHeal(await heal(RESOURCE)), instance);
      }
    });
  }
  await timeline.runUntil(chaosEndsMs);

  wire.trouble = 0;
  cloud.roleIsGone = false;
  const patienceMs = chaosEndsMs + 24 * 3_600_000;
  let steadyTicks = 0;
  for (let ms = chaosEndsMs; ms < patienceMs && steadyTicks < 2 && !judge.isOver; ms += tickMs) {
    tickAt(ms + chance.between(0, 5_000));
    await timeline.runUntil(ms + tickMs);
    judge.onCalmTick();
    steadyTicks = judge.isSteady() ? steadyTicks + 1 : 0;
  }
  judge.onEnd(steadyTicks >= 2);
  return { violations: judge.violations, steps, faults: wire.faults };
}

function resourceOf(
  cloud: Cloud,
  { mode, period, hasConsumer }: { mode: 'full' | 'alternating'; period: number; hasConsumer: boolean },
): Resource {
  const application = { kind: 'application' as const, name: 'old job', within: 20 * MINUTE_MS };
  return {
    name: RESOURCE,
    accountId: cloud.accountId,
    kind: 'SpeechServices',
    region: 'westeurope',
    endpoint: 'https://sim.invalid',
    tokenKinds: ['sts'],
    identity: { kind: 'application' },
    scope: 'https://cognitiveservices.azure.com/.default',
    secret: 'speech-key',
    rotation: {
      period,
      mode,
      paused: false,
      consumers: hasConsumer ? [application] : [],
    },
  };
}

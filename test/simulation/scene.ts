/** What one schedule is made of, drawn from its seed. */
import { accountKey } from '../../src/account-key.ts';
import type { Resource } from '../../src/policy/schema.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import { Cloud } from './cloud.ts';
import { Judge } from './judge.ts';
import type { Way } from './ports.ts';
import { type Chance, createChance } from './random.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createWire, type Process, type Wire } from './wire.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const MINUTE_MS = 60_000;
export const RESOURCE = 'speech';

export interface Scene {
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly cloud: Cloud;
  readonly wire: Wire;
  readonly judge: Judge;
  readonly resource: Resource;
  /** From one occurrence of the timer to the next: the schedule is a setting. */
  readonly tickMs: number;
  /** One slow caller that buys only where that is most dangerous: at a promotion, and under a hand's deeds. */
  readonly isEager: boolean;
  newProcess(kind: Process['kind'], traits?: Partial<Process>): Process;
  way(process: Process): Way;
  /** Called when the next tick is to promote a key. */
  onPromotion: (nextTickMs: number) => void;
  /** Called when the row of the rotation is written. */
  onPhase: (phase: string | undefined) => void;
  /** Called when a hand from outside has changed something. */
  onDeed: () => void;
}

export function createScene(seed: number, trace: ((line: string) => void) | undefined): Scene {
  const chance = createChance(seed);
  const timeline = createTimeline(START_MS);
  const cloud = new Cloud(chance, START_MS - 86_400_000);
  const wire = createWire(chance, timeline);
  const judge = new Judge(cloud, timeline, accountKey(cloud.accountId), trace);
  const isEager = chance.is(0.4);
  const tickMs = isEager ? 20_000 : chance.is(0.7) ? 300_000 : chance.pick([120_000, 60_000, 20_000]);
  let processes = 0;

  const onRow = (row: StoredRow): void => {
    judge.onRow(row);
    const { work } = row.state;
    scene.onPhase(work?.phase.name);
    const proof = work?.phase.name === 'promoting' ? work.phase.proof : undefined;
    if (proof === undefined || proof.lastMs - proof.firstMs < MINUTE_MS) return;
    scene.onPromotion(timeline.now() + tickMs);
  };
  const scene: Scene = {
    chance,
    timeline,
    cloud,
    wire,
    judge,
    resource: drawResource(cloud, chance, tickMs),
    tickMs,
    isEager,
    newProcess: (kind, traits = {}) => {
      processes += 1;
      const offMs = chance.between(-25_000, 25_000);
      const clock = () => timeline.now() + offMs;
      const usual = { isSlow: false, readsLateMs: 0, dead: false, callsToLive: -1 };
      if (Math.abs(offMs) > 1_000) wire.count(offMs > 0 ? 'clock ahead' : 'clock behind');
      return { kind, name: `${kind}-${processes}`, clock, ...usual, ...traits };
    },
    way: (process) => ({
      cloud,
      wire,
      timeline,
      process,
      onChange: judge.onChange,
      onText: judge.onText,
      onRow,
    }),
    onPromotion: () => undefined,
    onPhase: () => undefined,
    onDeed: () => undefined,
  };
  return scene;
}

function drawResource(cloud: Cloud, chance: Chance, tickMs: number): Resource {
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
      period: (tickMs > MINUTE_MS ? 45 : 15) * MINUTE_MS,
      mode: chance.pick(['full', 'full', 'alternating']),
      paused: false,
      consumers: chance.is(0.4) ? [application] : [],
    },
  };
}

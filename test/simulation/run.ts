/**
 * One schedule: rotators tick, die and come back; callers buy tokens and use them; a hand outside interferes;
 * every call may fail. Then the weather clears, and it must end steady with both keys new.
 */
import type { Slot } from '../../src/ports.ts';
import { startCallers } from './callers.ts';
import { interfere } from './hand.ts';
import type { Violation } from './judge.ts';
import { type Rotators, startRotators } from './rotators.ts';
import { createScene, MINUTE_MS, type Scene, START_MS } from './scene.ts';

export interface RunReport {
  readonly violations: readonly Violation[];
  readonly steps: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}

/** Operations whose failure leaves something half done. */
const CHANGES = [
  'bump head',
  'write row',
  'record step',
  'setSecret',
  'regenerateKey',
  'disable',
  'declare mint',
  'issueToken',
] as const;

/** Steady after the worst: a try an hour, and both keys new where one is rotated a period. */
const PATIENCE_MS = 24 * 60 * MINUTE_MS;

export async function runSchedule(seed: number, trace?: (line: string) => void): Promise<RunReport> {
  const scene = createScene(seed, trace);
  const rotators = startRotators(scene);
  startCallers(scene);
  await calm(scene, rotators, await chaos(scene, rotators));
  const { judge, wire } = scene;
  return { violations: judge.violations, steps: rotators.steps, faults: wire.faults };
}

/** @returns when it ended */
async function chaos(scene: Scene, rotators: Rotators): Promise<number> {
  const { chance, timeline, wire, tickMs } = scene;
  wire.trouble = chance.pick([0.01, 0.03, 0.08, 0.15]);
  if (chance.is(0.6)) wire.weak = chance.pick(CHANGES);
  const fromMs = START_MS + tickMs;
  const untilMs = START_MS + chance.between(50, 150) * (tickMs > MINUTE_MS ? MINUTE_MS : 20_000);
  for (let ms = START_MS; ms < untilMs; ms += tickMs) rotators.tickAt(ms + chance.between(0, 5_000));
  if (chance.is(0.5)) interfere(scene, fromMs, untilMs);
  for (const emergency of [false, true]) {
    const slot = chance.pick<Slot | undefined>(['Key1', 'Key2', undefined]);
    if (chance.is(0.25)) rotators.demandAt(chance.between(fromMs, untilMs), slot, emergency);
  }
  for (let events = chance.between(0, 3); events > 0; events -= 1) {
    rotators.eventAt(chance.between(START_MS, untilMs));
  }
  await timeline.runUntil(untilMs);
  return untilMs;
}

async function calm(scene: Scene, rotators: Rotators, fromMs: number): Promise<void> {
  const { chance, timeline, wire, cloud, judge, tickMs } = scene;
  wire.trouble = 0;
  wire.weak = undefined;
  cloud.roleIsGone = false;
  let steadyTicks = 0;
  for (let ms = fromMs; ms < fromMs + PATIENCE_MS && steadyTicks < 2 && !judge.isOver; ms += tickMs) {
    rotators.tickAt(ms + chance.between(0, 5_000));
    await timeline.runUntil(ms + tickMs);
    judge.onCalmTick();
    steadyTicks = judge.isSteady() ? steadyTicks + 1 : 0;
  }
  judge.onEnd(steadyTicks >= 2);
}

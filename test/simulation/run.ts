/**
 * One schedule: rotators tick, die and come back; callers exchange and use what they got; a hand outside
 * interferes; every call may fail. Then the weather clears, and all must end steady with every key new.
 */
import { isOpen } from '../../src/demand/demand.ts';
import type { Slot } from '../../src/ports.ts';
import { ASSUMED, type Assumptions } from './assumptions.ts';
import { startCallers } from './callers.ts';
import { interfere } from './hand.ts';
import { type Rotators, startRotators } from './rotators.ts';
import { createScene, MINUTE_MS, type Scene, START_MS } from './scene.ts';
import type { Violation } from './verdict.ts';
import { FAIR } from './wire.ts';

export interface RunReport {
  readonly violations: readonly Violation[];
  readonly steps: Readonly<Record<string, number>>;
  /** How often each misfortune struck, by the phase of the first account's rotation. */
  readonly reached: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Operations whose failure leaves something half done. */
const CHANGES = [
  'bump head',
  'write row',
  'publish',
  'record step',
  'setSecret',
  'regenerateKey',
  'disable',
  'declare mint',
  'issueToken',
] as const;
const CHANGES_OF_VERSION = [undefined, undefined, undefined, undefined, 'there', 'there and back'] as const;
/** A deployment replaces instances one after the other. */
const TOGETHER_MS = 10 * MINUTE_MS;
const PHASES = ['promoting', 'draining', 'regenerating', 'proving'] as const;

/** Steady after the worst: a try an hour, and both keys new where one is rotated a period. */
const PATIENCE_MS = 24 * 60 * MINUTE_MS;

export type Run = (
  seed: number,
  trace?: (line: string) => void,
  assumptions?: Assumptions,
) => Promise<RunReport>;

export const runSchedule: Run = async (seed, trace, assumptions = ASSUMED) => {
  const scene = createScene(seed, trace, assumptions);
  const { chance } = scene;
  const change = chance.pick([...CHANGES_OF_VERSION]);
  const rotators = startRotators(scene, [change === undefined ? 'two apps' : 'one app']);
  if (change !== undefined) changeVersions(scene, rotators, change === 'there and back');
  startCallers(scene);
  await untilSteady(scene, rotators, scene.isCalm ? START_MS : await badWeather(scene, rotators));
  return { violations: scene.verdict.violations, steps: rotators.steps, reached: scene.wire.reached };
};

/** The rotator app takes the accounts over while the version with one app runs on, and may hand them back to it. */
function changeVersions({ chance, timeline, tickMs }: Scene, rotators: Rotators, isBack: boolean): void {
  const someMs = (): number => chance.between(0, 12 * Math.max(MINUTE_MS, tickMs / 4));
  const bothMs = timeline.now() + someMs();
  const aloneMs = bothMs + TOGETHER_MS + someMs();
  timeline.at(bothMs, () => rotators.deploy(['one app', 'two apps']));
  timeline.at(aloneMs, () => rotators.deploy(['two apps']));
  // The version with one app does not wait until all are handed back, and the rotator app runs on until they are.
  if (isBack) timeline.at(aloneMs + someMs(), () => rotators.deploy(['handing back', 'one app']));
}

/** @returns when it ended */
async function badWeather(scene: Scene, rotators: Rotators): Promise<number> {
  const { chance, timeline, wire, tickMs } = scene;
  wire.weather = {
    trouble: chance.pick([0.01, 0.03, 0.08, 0.15]),
    stormyPhase: chance.is(0.7) ? chance.pick(PHASES) : undefined,
    weak: chance.is(0.6) ? chance.pick(CHANGES) : undefined,
  };
  const fromMs = START_MS + tickMs;
  const untilMs = START_MS + chance.between(50, 150) * (tickMs > MINUTE_MS ? MINUTE_MS : 20_000);
  for (let ms = START_MS; ms < untilMs; ms += tickMs) rotators.tickAt(ms + chance.between(0, 5_000));
  if (chance.is(0.6)) interfere(scene, fromMs, untilMs);
  for (const emergency of [false, true]) {
    const slot = chance.pick<Slot | undefined>(['Key1', 'Key2', undefined]);
    if (chance.is(0.25))
      rotators.retireAt(chance.between(fromMs, untilMs), scene.pickAccount(), slot, emergency);
    for (let demands = chance.pick([0, 0, 0, 1, 2]); demands > 0; demands -= 1) {
      const demanded = chance.pick<Slot | undefined>(['Key1', 'Key2', undefined]);
      rotators.demandAt(chance.between(fromMs, untilMs), scene.pickAccount(), demanded, emergency);
    }
  }
  for (let events = chance.between(0, 3); events > 0; events -= 1) {
    rotators.eventAt(chance.between(START_MS, untilMs), scene.pickAccount());
  }
  await timeline.runUntil(untilMs);
  return untilMs;
}

async function untilSteady(scene: Scene, rotators: Rotators, fromMs: number): Promise<void> {
  const { chance, timeline, wire, cloud, verdict, judges, tickMs } = scene;
  wire.weather = FAIR;
  cloud.roleIsGone = false;
  for (const { calls } of judges.values()) calls.networkIsFair();
  /** Steady ticks in a row, and whether there have been two, by account. */
  const steady = new Map([...judges.keys()].map((account) => [account, 0]));
  const hasOpenDemand = (): boolean => [...cloud.demands.values()].some(isOpen);
  const isOver = (): boolean => !hasOpenDemand() && [...steady.values()].every((ticks) => ticks >= 2);
  for (let ms = fromMs; ms < fromMs + PATIENCE_MS && !isOver() && !verdict.isOver(); ms += tickMs) {
    rotators.tickAt(ms + chance.between(0, 5_000));
    await timeline.runUntil(ms + tickMs);
    for (const [account, { keys, calls }] of judges) {
      if (!calls.isTroubled() && ms > fromMs + MAX_HEAL_MS) keys.mustBeHealed();
      const ticks = steady.get(account) ?? 0;
      if (ticks < 2) steady.set(account, keys.isSteady() ? ticks + 1 : 0);
    }
  }
  for (const [account, ticks] of steady)
    if (ticks < 2) verdict.violated('5 crash-safe', `${account.name} is not steady in the end`);
  if (hasOpenDemand()) verdict.violated('demand', 'a demand is open in the end');
}

/** After the end of the bad weather: a dead driver's lease, and what its clock is off. */
const MAX_HEAL_MS = 25 * MINUTE_MS;

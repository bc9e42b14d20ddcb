/** The processes that rotate: they tick at once, late and twice, die in the middle and come back. */
import type { Slot } from '../../src/ports.ts';
import { createRotation, type KeyRotation } from '../../src/rotation/rotate.ts';
import { accountsOver, ledgerOver, proofOver, stateOver, storeOver, vaultOver } from './ports.ts';
import { RESOURCE, type Scene } from './scene.ts';
import type { Process } from './wire.ts';

export interface Rotators {
  /** How often each step was made. */
  readonly steps: Readonly<Record<string, number>>;
  /** An occurrence of the timer. */
  tickAt(ms: number): void;
  /** Somebody asks for a retirement, again until it has begun. */
  demandAt(ms: number, slot: Slot | undefined, emergency: boolean): void;
  /** Event Grid tells of our own writes: that must not make anything go on. */
  eventAt(ms: number): void;
}

interface Rotator {
  readonly process: Process;
  readonly rotation: KeyRotation;
}

export function startRotators(scene: Scene): Rotators {
  const { chance, timeline, judge, wire } = scene;
  const steps: Record<string, number> = {};
  const rotators = Array.from({ length: chance.between(1, 3) }, () => startRotator(scene));

  /** A process that died is another one when it is needed next. */
  const alive = (place: number): Rotator => {
    const there = rotators[place];
    if (there !== undefined && !there.process.dead) return there;
    const next = startRotator(scene);
    rotators[place] = next;
    return next;
  };
  const drive = async (what: () => Promise<unknown>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      judge.outageOnly(error);
    }
  };
  const tick = ({ rotation }: Rotator): Promise<void> =>
    drive(async () => {
      for (const { did } of (await rotation.tick()).steps) steps[did] = (steps[did] ?? 0) + 1;
    });

  return {
    steps,
    tickAt: (ms) => {
      for (const place of rotators.keys()) {
        // The same occurrence in others, and twice in one: at least once is what a timer promises.
        const times = chance.is(0.1) ? 2 : 1;
        if (times > 1) wire.count('duplicate tick');
        if (place > 0) wire.count('concurrent driver');
        for (let time = 0; time < times; time += 1) {
          timeline.at(ms + chance.pick([0, 0, 500, 3_000, 20_000]), () => {
            const rotator = alive(place);
            if (wire.trouble > 0 && chance.is(0.12)) rotator.process.callsToLive = chance.between(0, 14);
            void tick(rotator);
          });
        }
        if (!chance.is(0.25)) return;
      }
    },
    demandAt: (ms, slot, emergency) => {
      const request = { slot, emergency, reason: emergency ? 'leaked' : 'on demand' };
      const ask = async (): Promise<void> => {
        try {
          await alive(0).rotation.retireNow(RESOURCE, request);
        } catch (error) {
          judge.outageOnly(error);
          await timeline.sleep(10_000);
          await ask();
        }
      };
      timeline.at(ms, () => {
        if (emergency) judge.onEmergency(slot);
        void ask();
      });
    },
    eventAt: (ms) =>
      timeline.at(ms, () => void drive(async () => judge.onHeal(await alive(0).rotation.heal(RESOURCE)))),
  };
}

function startRotator({ newProcess, way, judge, resource }: Scene): Rotator {
  const process = newProcess('rotator');
  const over = way(process);
  const ports = {
    vault: vaultOver(over),
    accounts: accountsOver(over),
    proof: proofOver(over),
    store: storeOver(over),
    ledger: ledgerOver(over),
    head: stateOver(over),
    clock: process.clock,
    elapsedMs: () => performance.now(),
    log: (event: string, fields = {}) => judge.onText(`${process.name} ${event} ${JSON.stringify(fields)}`),
  };
  return { process, rotation: createRotation(ports, [resource], process.name, async () => undefined) };
}

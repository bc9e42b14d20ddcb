/** The processes that rotate: they tick at once, late and twice, die in the middle and come back. */
import type { Slot } from '../../src/ports.ts';
import { createPace } from '../../src/rotation/pace.ts';
import { createRotation, type KeyRotation } from '../../src/rotation/rotate.ts';
import type { Account } from './account.ts';
import { accountsOver, proofOver, vaultOver } from './azure.ts';
import type { PolicyVersion } from './policies.ts';
import type { Process } from './process.ts';
import type { Scene } from './scene.ts';
import { ledgerOver, publishedOver, stateOver, storeOver } from './tables.ts';

export interface Rotators {
  /** How often each step was made. */
  readonly steps: Readonly<Record<string, number>>;
  /** An occurrence of the timer. */
  tickAt(ms: number): void;
  /** Somebody asks for a retirement, again until it has begun. */
  demandAt(ms: number, account: Account, slot: Slot | undefined, emergency: boolean): void;
  /** Event Grid tells of our own writes: that must not make anything go on. */
  eventAt(ms: number, account: Account): void;
}

interface Rotator {
  readonly process: Process;
  readonly rotation: KeyRotation;
  readonly policy: PolicyVersion;
}

export function startRotators(scene: Scene): Rotators {
  const { chance, timeline, verdict, wire, policies } = scene;
  const steps: Record<string, number> = {};
  const places = Array.from({ length: chance.between(1, 3) }, () => startRotator(scene, policies.inForce));
  for (const place of places.keys()) {
    policies.onChange((policy) => {
      places[place] = startRotator(scene, policy);
    });
  }

  /** A process that died is another one when it is needed next. */
  const alive = (place: number): Rotator => {
    const there = places[place];
    if (there !== undefined && !there.process.dead) return there;
    const next = startRotator(scene, there?.policy ?? policies.inForce);
    places[place] = next;
    return next;
  };
  const drive = async (what: () => Promise<unknown>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      verdict.outageOnly(error);
    }
  };
  const tick = ({ rotation }: Rotator): Promise<void> =>
    drive(async () => {
      for (const { did } of (await rotation.tick()).steps) steps[did] = (steps[did] ?? 0) + 1;
    });
  const nameAt = ({ policy }: Rotator, account: Account): string =>
    policy.resources.find(({ accountId }) => accountId === account.id)?.name ?? account.name;

  return {
    steps,
    tickAt: (ms) => {
      for (const place of places.keys()) {
        // The same occurrence in others, and twice in one: at least once is what a timer promises.
        const times = chance.is(0.1) ? 2 : 1;
        if (times > 1) wire.count('duplicate tick');
        if (place > 0) wire.count('concurrent driver');
        for (let time = 0; time < times; time += 1) {
          timeline.at(ms + chance.pick([0, 0, 500, 3_000, 20_000]), () => {
            const rotator = alive(place);
            if (wire.weather.trouble > 0 && chance.is(0.12))
              rotator.process.callsToLive = chance.between(0, 20);
            void tick(rotator);
          });
        }
        if (!chance.is(0.25)) return;
      }
    },
    demandAt: (ms, account, slot, emergency) => {
      const request = { slot, emergency, reason: emergency ? 'leaked' : 'on demand' };
      const ask = async (): Promise<void> => {
        const rotator = alive(0);
        try {
          await rotator.rotation.retireNow(nameAt(rotator, account), request);
        } catch (error) {
          verdict.outageOnly(error);
          await timeline.sleep(10_000);
          await ask();
        }
      };
      timeline.at(ms, () => {
        const what = `${emergency ? 'an emergency' : 'a retirement'} of ${slot ?? 'both keys'} of ${account.name}`;
        verdict.note(`an operator asks for ${what}`);
        wire.count(emergency ? 'emergency' : 'on demand');
        if (emergency) scene.judgeOf(account).keys.onEmergency(slot);
        void ask();
      });
    },
    eventAt: (ms, account) =>
      timeline.at(ms, () => {
        const rotator = alive(0);
        void drive(async () => {
          const done = await rotator.rotation.heal(nameAt(rotator, account));
          if (['prove', 'publish', 'regenerate', 'tidy'].includes(done?.did ?? ''))
            verdict.violated('10 own writes', `an event made the rotation go on: ${done?.did}`);
        });
      }),
  };
}

function startRotator(scene: Scene, policy: PolicyVersion): Rotator {
  const { timeline, verdict } = scene;
  const process = scene.newProcess('rotator');
  const way = scene.way(process);
  const ports = {
    vault: vaultOver(way),
    accounts: accountsOver(way),
    proof: proofOver(way),
    store: storeOver(way, scene.onRow, verdict.noKeyIn),
    published: publishedOver(way, scene.onPublished),
    plans: { write: async () => undefined },
    ledger: ledgerOver(way),
    head: stateOver(way, scene.onBump),
    clock: process.clock,
    elapsedMs: timeline.now,
    log: (event: string, fields = {}) =>
      verdict.noKeyIn(`${process.name} ${event} ${JSON.stringify(fields)}`),
  };
  const pace = createPace(timeline.now, timeline.sleep);
  return { process, policy, rotation: createRotation(ports, policy.resources, process.name, pace) };
}

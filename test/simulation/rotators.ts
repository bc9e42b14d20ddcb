/** The processes that rotate: they tick at once, late and twice, die in the middle and come back. */
import { type CarryOut, createCarryOut } from '../../src/demand/carry-out.ts';
import { nameOf } from '../../src/demand/named.ts';
import type { Slot } from '../../src/ports.ts';
import { createPace } from '../../src/rotation/pace.ts';
import { createRotation, type KeyRotation } from '../../src/rotation/rotate.ts';
import type { PublishedRow } from '../../src/rotation/state.ts';
import type { Account } from './account.ts';
import { accountsOver, proofOver, vaultOver } from './azure.ts';
import { demandAt } from './demands.ts';
import { oneAppOver } from './one-app.ts';
import type { PolicyVersion } from './policies.ts';
import type { Process } from './process.ts';
import type { Scene } from './scene.ts';
import { demandsOver, ledgerOver, publishedOver, stateOver, storeOver } from './tables.ts';

/** `handing back`: the rotator app with BROKER_HAND_BACK. */
export type Version = 'one app' | 'two apps' | 'handing back';

export interface Rotators {
  /** How often each step was made. */
  readonly steps: Readonly<Record<string, number>>;
  /** From now on these run, some of each. */
  deploy(versions: readonly Version[]): void;
  /** An occurrence of the timer. */
  tickAt(ms: number): void;
  /** An event asks for a retirement, again until it has begun. */
  retireAt(ms: number, account: Account, slot: Slot | undefined, emergency: boolean): void;
  /** An operator asks an issuer for one. */
  demandAt(ms: number, account: Account, slot: Slot | undefined, emergency: boolean): void;
  /** Event Grid tells of our own writes: that must not make anything go on. */
  eventAt(ms: number, account: Account): void;
}

interface Rotator {
  readonly process: Process;
  readonly rotation: KeyRotation;
  readonly carryOut: CarryOut;
  readonly policy: PolicyVersion;
}
interface Place {
  readonly version: Version;
  rotator: Rotator;
}

export function startRotators(scene: Scene, versions: readonly Version[]): Rotators {
  const { chance, timeline, verdict, wire, policies } = scene;
  const steps: Record<string, number> = {};
  let places: readonly Place[] = [];

  const place = (version: Version): Place => {
    const made: Place = { version, rotator: startRotator(scene, policies.inForce, version) };
    policies.onChange((policy) => {
      if (made.version === 'one app') made.rotator = startRotator(scene, policy, version);
    });
    return made;
  };
  const deploy = (wanted: readonly Version[]): void => {
    verdict.note(`deployed: ${wanted.join(' and ')}`);
    wire.count(`deployed: ${wanted.join(' and ')}`);
    const kept = places.filter(({ version }) => wanted.includes(version));
    const isThere = (version: Version): boolean => kept.some((one) => one.version === version);
    const added = wanted.filter((version) => !isThere(version));
    for (const gone of places) {
      // Some are told to end and finish their tick, others are killed.
      if (!kept.includes(gone) && chance.is(0.5)) gone.rotator.process.dead = true;
    }
    places = [
      ...kept,
      ...added.flatMap((version) => Array.from({ length: chance.between(1, 3) }, () => place(version))),
    ];
  };
  deploy(versions);

  /** A process that died is another one when it is needed next. */
  const alive = (at: Place): Place => {
    const { rotator, version } = at;
    if (rotator.process.dead) at.rotator = startRotator(scene, rotator.policy, version);
    return at;
  };
  /** As src/rotator.ts does it, before each piece of work: what is under way goes on under the version before. */
  const inForce = async (at: Place): Promise<Rotator> => {
    const { rotator, version } = at;
    if (version === 'one app') return rotator;
    const policy = await wire.call(rotator.process, 'tables', 'read pointer', () => policies.inForce);
    if (at.rotator.policy !== policy && at.rotator.process === rotator.process)
      at.rotator = startRotator(scene, policy, version, rotator.process);
    return at.rotator;
  };
  /** One that rotates; undefined: there is none of this version. */
  const some = (isWanted: (version: Version) => boolean): Place | undefined => {
    const found = places.filter(({ version }) => isWanted(version));
    const chosen = found.length > 1 ? found[chance.between(0, found.length - 1)] : found[0];
    return chosen && alive(chosen);
  };
  const rotates = (version: Version): boolean => version !== 'handing back';
  const drive = async (what: () => Promise<unknown>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      verdict.outageOnly(error);
    }
  };
  const nameAt = ({ policy }: Rotator, account: Account): string =>
    policy.resources.find(({ accountId }) => accountId === account.id)?.name ?? account.name;

  /** As src/rotator.ts does it. */
  const tick = (at: Place): Promise<void> =>
    drive(async () => {
      const { version } = at;
      const { rotation, carryOut } = await inForce(at);
      if (version !== 'one app') await drive(carryOut.open);
      for (const { did } of (await rotation.tick()).steps) steps[did] = (steps[did] ?? 0) + 1;
    });

  return {
    steps,
    deploy,
    tickAt: (ms) => {
      for (const [index, at] of places.entries()) {
        const isFirst = places[index - 1]?.version !== at.version;
        if (!isFirst && !chance.is(0.25)) continue;
        // The same occurrence in others, and twice in one: at least once is what a timer promises.
        const times = chance.is(0.1) ? 2 : 1;
        if (times > 1) wire.count('duplicate tick');
        if (index > 0) wire.count('concurrent driver');
        for (let time = 0; time < times; time += 1) {
          timeline.at(ms + chance.pick([0, 0, 500, 3_000, 20_000]), () => {
            if (!places.includes(at)) return;
            const { process } = alive(at).rotator;
            if (wire.weather.trouble > 0 && chance.is(0.12)) process.callsToLive = chance.between(0, 20);
            void tick(at);
          });
        }
      }
    },
    retireAt: (ms, account, slot, emergency) => {
      const request = { slot, emergency, reason: emergency ? 'leaked' : 'on demand' };
      const ask = async (): Promise<void> => {
        const at = some(rotates);
        try {
          const rotator = at && (await inForce(at));
          await rotator?.rotation.retireNow(nameAt(rotator, account), request);
        } catch (error) {
          verdict.outageOnly(error);
          await timeline.sleep(10_000);
          await ask();
        }
      };
      timeline.at(ms, () => {
        const what = `${emergency ? 'an emergency' : 'a retirement'} of ${slot ?? 'both keys'} of ${account.name}`;
        verdict.note(`an event asks for ${what}`);
        wire.count(emergency ? 'emergency' : 'on demand');
        if (emergency) scene.judgeOf(account).keys.onEmergency(slot);
        void ask();
      });
    },
    demandAt: (ms, account, slot, emergency) => {
      const tell = async (message: unknown): Promise<boolean> => {
        const at = some((version) => version !== 'one app');
        if (at !== undefined) await (await inForce(at)).carryOut.told(message);
        return at !== undefined;
      };
      demandAt(scene, tell, ms, account, { slot, emergency });
    },
    eventAt: (ms, account) =>
      timeline.at(ms, () => {
        const at = some(rotates);
        if (at === undefined) return;
        void drive(async () => {
          const rotator = await inForce(at);
          const done = await rotator.rotation.heal(nameAt(rotator, account));
          if (['prove', 'publish', 'regenerate', 'tidy'].includes(done?.did ?? ''))
            verdict.violated('10 own writes', `an event made the rotation go on: ${done?.did}`);
        });
      }),
  };
}

function startRotator(
  scene: Scene,
  policy: PolicyVersion,
  version: Version,
  process = scene.newProcess('rotator'),
): Rotator {
  const { timeline, verdict } = scene;
  const way = scene.way(process);
  const store = storeOver(way, scene.onRow, verdict.noKeyIn);
  const published = publishedOver(way, scene.onPublished);
  const onBoth = (row: PublishedRow): void => {
    scene.onRow(row);
    scene.onPublished(row);
  };
  const ports = {
    vault: vaultOver(way),
    accounts: accountsOver(way),
    proof: proofOver(way),
    ...(version === 'one app' ? oneAppOver(way, store, onBoth) : { store, published }),
    plans: { lookedAtMs: async () => new Map(), write: async () => undefined },
    pauses: { all: async () => new Map() },
    ledger: ledgerOver(way),
    head: stateOver(way, scene.onBump),
    clock: process.clock,
    elapsedMs: timeline.now,
    within: <T>(_step: string | undefined, _resource: string, work: () => Promise<T>) => work(),
    log: (event: string, fields = {}) =>
      verdict.noKeyIn(`${process.name} ${event} ${JSON.stringify(fields)}`),
  };
  const pace = createPace(timeline.now, timeline.sleep);
  const handsBack = version === 'handing back';
  // Another policy is another driver.
  const driver = `${process.name}/${policy.rules.version.slice(0, 6)}`;
  const rotation = createRotation(ports, policy.resources, driver, pace, handsBack);
  const carryOut = createCarryOut({
    store: demandsOver(way),
    retireNow: async (demand, request) => {
      const resource = nameOf(demand, policy.resources);
      const retired = await rotation.retireNow(resource, request);
      await rotation.tellPlan(resource);
      return retired;
    },
    progress: (demand) => rotation.becameOf(nameOf(demand, policy.resources), demand),
    now: process.clock,
    elapsedMs: timeline.now,
    log: (event, fields = {}) => verdict.note(`${process.name} ${event} ${JSON.stringify(fields)}`),
  });
  return { process, policy, rotation, carryOut };
}

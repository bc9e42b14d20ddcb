/** Somebody in the portal: keys regenerated, versions disabled, tags edited, secrets overwritten. */
import type { Slot } from '../../src/ports.ts';
import { MINUTE_MS, type Scene } from './scene.ts';

const DEEDS = {
  'regenerate by hand': ({ chance, cloud, timeline, judge }: Scene) => {
    const slot = chance.pick<Slot>(['Key1', 'Key2']);
    judge.excuse(cloud.regenerate(slot, timeline.now()));
    cloud.current[slot].byHand = true;
    judge.excuse(cloud.current[slot], cloud.current[slot].acceptedByAllMs);
  },
  'disable version': ({ cloud }: Scene) => {
    const current = cloud.currentVersion();
    if (current !== undefined) current.enabled = false;
  },
  'purge secret': ({ cloud }: Scene) => {
    cloud.versions = [];
  },
  'overwrite secret': ({ cloud, timeline }: Scene) => {
    cloud.addVersion('not a key', {}, timeline.now());
  },
  'edit tags': ({ chance, cloud }: Scene) => {
    const current = cloud.currentVersion();
    if (current === undefined) return;
    const slot = current.tags['slot'] === 'Key1' ? 'Key2' : 'Key1';
    current.tags = chance.is(0.5) ? {} : { ...current.tags, slot };
  },
  'swap slot': ({ chance, cloud, timeline, judge }: Scene) => {
    const current = cloud.currentVersion();
    if (current === undefined) return;
    const slot = cloud.slotOf(current.value) === 'Key1' ? 'Key2' : 'Key1';
    const key = cloud.current[slot];
    // A regenerate may be on its way already, for as long as a process may sleep.
    judge.excuse(key, Math.max(key.acceptedByAllMs, timeline.now() + 11 * MINUTE_MS));
    cloud.addVersion(key.value, chance.is(0.5) ? { ...current.tags } : {}, timeline.now());
  },
  'lose role': ({ chance, cloud, timeline }: Scene) => {
    cloud.roleIsGone = true;
    timeline.at(timeline.now() + chance.between(60_000, 1_200_000), () => {
      cloud.roleIsGone = false;
    });
  },
} as const;

export function interfere(scene: Scene, fromMs: number, untilMs: number): void {
  const { chance, timeline, judge, wire } = scene;
  const names = Object.keys(DEEDS) as [keyof typeof DEEDS, ...(keyof typeof DEEDS)[]];
  const interfereNow = (): void => {
    const deed = chance.pick(names);
    judge.note(`by hand: ${deed}`);
    wire.count(`by hand: ${deed}`);
    DEEDS[deed](scene);
    scene.onDeed();
  };
  for (let deeds = chance.between(1, 2); deeds > 0; deeds -= 1) {
    timeline.at(chance.between(fromMs, untilMs), interfereNow);
  }
  // Once more where it matters most: soon after the rotation came to a phase.
  const worst = chance.pick(['promoting', 'draining', 'regenerating', 'proving']);
  scene.onPhase = (phase) => {
    if (phase !== worst || timeline.now() > untilMs) return;
    scene.onPhase = () => undefined;
    timeline.at(timeline.now() + chance.between(0, 2 * scene.tickMs), interfereNow);
  };
}

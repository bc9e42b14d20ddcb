/** Somebody in the portal: keys regenerated, versions disabled, tags edited, secrets overwritten. */
import type { Slot } from '../../src/ports.ts';
import type { Cloud } from './cloud.ts';
import type { Judge } from './judge.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

interface Outside {
  readonly chance: Chance;
  readonly cloud: Cloud;
  readonly timeline: Timeline;
  readonly judge: Judge;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly count: (what: string) => void;
}

const DEEDS = {
  'regenerate by hand': ({ chance, cloud, timeline, judge }: Outside) => {
    const slot = chance.pick<Slot>(['Key1', 'Key2']);
    judge.excuse(cloud.regenerate(slot, timeline.now()));
    cloud.current[slot].byHand = true;
    judge.excuse(cloud.current[slot], cloud.current[slot].acceptedByAllMs);
  },
  'disable version': ({ cloud }: Outside) => {
    const current = cloud.currentVersion();
    if (current !== undefined) current.enabled = false;
  },
  'purge secret': ({ cloud }: Outside) => {
    cloud.versions = [];
  },
  'overwrite secret': ({ cloud, timeline }: Outside) => {
    cloud.addVersion('not a key', {}, timeline.now());
  },
  'edit tags': ({ chance, cloud }: Outside) => {
    const current = cloud.currentVersion();
    if (current === undefined) return;
    const slot = current.tags['slot'] === 'Key1' ? 'Key2' : 'Key1';
    current.tags = chance.is(0.5) ? {} : { ...current.tags, slot };
  },
  'swap slot': ({ chance, cloud, timeline, judge }: Outside) => {
    const current = cloud.currentVersion();
    if (current === undefined) return;
    const slot = cloud.slotOf(current.value) === 'Key1' ? 'Key2' : 'Key1';
    const key = cloud.current[slot];
    // Whether this key works is on whoever wrote it.
    judge.excuse(key);
    cloud.addVersion(key.value, chance.is(0.5) ? { ...current.tags } : {}, timeline.now());
  },
  'lose role': ({ chance, cloud, timeline }: Outside) => {
    cloud.roleIsGone = true;
    timeline.at(timeline.now() + chance.between(60_000, 1_200_000), () => {
      cloud.roleIsGone = false;
    });
  },
} as const;

export function interfere(outside: Outside): void {
  const { chance, timeline, judge, fromMs, untilMs, count } = outside;
  const names = Object.keys(DEEDS) as [keyof typeof DEEDS, ...(keyof typeof DEEDS)[]];
  for (let deeds = chance.between(1, 2); deeds > 0; deeds -= 1) {
    timeline.at(chance.between(fromMs, untilMs), () => {
      const deed = chance.pick(names);
      judge.note(`by hand: ${deed}`);
      count(`by hand: ${deed}`);
      DEEDS[deed](outside);
    });
  }
}

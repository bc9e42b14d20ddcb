/** What somebody in the portal may do to keys, accounts and secrets. */
import type { Slot } from '../../src/ports.ts';
import type { Account } from './account.ts';
import { MINUTE_MS, type Scene } from './scene.ts';

/** Does it now. @returns when it is over, where that is later */
export type Deed = (scene: Scene, account: Account, untilMs: number) => number | undefined;

/** A change may be on its way for as long as a process may sleep. */
const MAX_ON_ITS_WAY_MS = 11 * MINUTE_MS;

export const DEEDS: Readonly<Record<string, Deed>> = {
  'key regenerated': ({ chance, cloud, timeline, judgeOf }, account) => {
    const slot = chance.pick<Slot>(['Key1', 'Key2']);
    const { keys } = judgeOf(account);
    keys.excuse(account.regenerate(slot, timeline.now(), true));
    keys.excuse(account.current[slot], account.current[slot].acceptedByAllMs);
    // The repair is right to make the other key current, the only one that works, though a regenerate of it may be on
    // its way already (seed 700961): it serves until then, and is repaired once more.
    const work = cloud.row(account.key)?.state.work;
    if (work?.phase.name === 'regenerating' && work.slot !== slot)
      keys.excuse(account.current[work.slot], timeline.now() + MAX_ON_ITS_WAY_MS);
    return undefined;
  },
  'version disabled': ({ judgeOf }, account) => {
    const current = judgeOf(account).keys.current();
    if (current !== undefined) current.enabled = false;
    return undefined;
  },
  'secret overwritten': ({ cloud, timeline, policies }, account) => {
    cloud.secrets.add(policies.of(account)?.secret ?? account.name, 'not a key', {}, timeline.now());
    return undefined;
  },
  'tags edited': ({ chance, judgeOf }, account) => {
    const current = judgeOf(account).keys.current();
    if (current === undefined) return undefined;
    const slot = current.tags['slot'] === 'Key1' ? 'Key2' : 'Key1';
    current.tags = chance.is(0.5) ? {} : { ...current.tags, slot };
    return undefined;
  },
  'slot swapped': ({ chance, cloud, timeline, judgeOf, policies }, account) => {
    const { keys } = judgeOf(account);
    const current = keys.current();
    if (current === undefined) return undefined;
    const slot = account.slotOf(current.value) === 'Key1' ? 'Key2' : 'Key1';
    const key = account.current[slot];
    // A regenerate may be on its way already.
    keys.excuse(key, Math.max(key.acceptedByAllMs, timeline.now() + MAX_ON_ITS_WAY_MS));
    const tags = chance.is(0.5) ? { ...current.tags } : {};
    cloud.secrets.add(policies.of(account)?.secret ?? account.name, key.value, tags, timeline.now());
    return undefined;
  },
  'secret deleted': ({ chance, cloud, timeline, policies, verdict }, account, untilMs) => {
    const secret = policies.of(account)?.secret ?? account.name;
    cloud.secrets.softDelete(secret);
    return later(timeline, chance.between(0, 20 * MINUTE_MS), untilMs, () => {
      const isRecovered = chance.is(0.5);
      verdict.note(`by hand: secret ${secret} is ${isRecovered ? 'recovered' : 'purged'}`);
      if (isRecovered) cloud.secrets.recover(secret);
      else cloud.secrets.purge(secret);
    });
  },
  'role taken': ({ chance, cloud, timeline, verdict }, _, untilMs) => {
    cloud.roleIsGone = true;
    return later(timeline, chance.between(MINUTE_MS, 20 * MINUTE_MS), untilMs, () => {
      verdict.note('by hand: the role is given back');
      cloud.roleIsGone = false;
    });
  },
  'keys switched off': ({ chance, timeline, verdict }, account, untilMs) => {
    if (account.refusal !== undefined) return undefined;
    account.refusal = 'localAuthDisabled';
    return later(timeline, chance.between(MINUTE_MS, 30 * MINUTE_MS), untilMs, () => {
      if (account.refusal !== 'localAuthDisabled') return;
      verdict.note(`by hand: keys of ${account.name} are switched on again`);
      account.refusal = undefined;
    });
  },
  'account deleted': ({ chance, timeline, verdict, judgeOf }, account, untilMs) => {
    const { keys } = judgeOf(account);
    account.refusal = 'notFound';
    for (const slot of ['Key1', 'Key2'] as const) keys.excuse(account.current[slot]);
    return later(timeline, chance.between(MINUTE_MS, 20 * MINUTE_MS), untilMs, () => {
      if (account.refusal !== 'notFound') return;
      verdict.note(`by hand: ${account.name} is made again, with other keys`);
      for (const slot of ['Key1', 'Key2'] as const) keys.excuse(account.current[slot]);
      account.recreate(timeline.now());
    });
  },
};

/** No later than the end of the bad weather. @returns when that is */
export function later(
  { now, at }: Scene['timeline'],
  inMs: number,
  untilMs: number,
  happen: () => void,
): number {
  const atMs = Math.min(now() + inMs, untilMs);
  at(atMs, happen);
  return atMs;
}

/** Publishers on a store in memory, each call of which may die before or after it, or lose its answer. */
import { type ApplyPolicy, createApplyPolicy, type PolicyChange } from '../../src/operations/apply-policy.ts';
import { startWith } from '../../src/policy/current.ts';
import { knownMembers } from '../../src/policy/members.ts';
import type { Announced, InForce, Pointer, PolicyStore } from '../../src/policy/store.ts';
import { compileVersion, versionOf } from '../../src/policy/version.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { samplePolicy } from '../policy/sample.ts';

/** What becomes of one call to the store or the head. */
export type Fate = 'well' | 'fails before' | 'answer lost' | 'killed before' | 'killed after';
export class Killed extends Error {}
type Ask = (call: string) => Promise<Fate>;

/** The sample policy with another rate: as many versions as are wanted. */
export function policyNumber(number: number): unknown {
  const policy = samplePolicy();
  const grants = policy.grants.map((grant, index) =>
    index === 0 ? { ...grant, rate: { count: number + 1, per: '1m' } } : grant,
  );
  return { ...policy, grants };
}

export class Shared {
  readonly texts = new Map<string, string>();
  readonly past = new Map<number, InForce>();
  readonly announced: Announced[] = [{ instance: 'i', members: [...knownMembers()] }];
  current: Pointer | undefined;
  /** The version by which an instance decides that has looked after the latest bump. */
  seen: string | undefined;
  bumps = 0;
  writes = 0;

  /** @param fate is asked at each call, and may wait, so that others come in between */
  store(fate: Ask): PolicyStore & { bump(): Promise<void> } {
    const does = async <T>(call: string, work: () => T): Promise<T> => {
      const what = await fate(call);
      if (what === 'killed before') throw new Killed(call);
      if (what === 'fails before') throw new UpstreamFailure('tables', call);
      const done = work();
      if (what === 'killed after') throw new Killed(call);
      if (what === 'answer lost') throw new UpstreamFailure('tables', call);
      return done;
    };
    return {
      pointer: () => does('pointer', () => this.current),
      text: (version) =>
        does('text', () => [...this.texts].find(([known]) => known.startsWith(version))?.[1]),
      keep: (version, text) => does('keep', () => void this.texts.set(version, text)),
      remember: (was) =>
        does('remember', () => {
          if (!this.past.has(was.serial)) this.past.set(was.serial, was);
        }),
      point: (next, since) =>
        does('point', () => {
          if (this.current?.etag !== since?.etag) return 'moved' as const;
          this.writes += 1;
          this.current = { ...next, etag: String(this.writes) };
          return 'pointed' as const;
        }),
      history: (most, before = Number.POSITIVE_INFINITY) =>
        does('history', () =>
          [...this.past.values()]
            .filter(({ serial }) => serial < before)
            .sort((one, other) => other.serial - one.serial)
            .slice(0, most),
        ),
      wasInForce: (version) =>
        does('wasInForce', () => [...this.past.values()].some((was) => was.version === version)),
      bump: () =>
        does('bump', () => {
          this.bumps += 1;
          this.seen = this.current?.version;
        }),
    };
  }
  apply(fate: Ask): ApplyPolicy {
    const store = this.store(fate);
    return createApplyPolicy({
      store,
      announcements: {
        say: async () => undefined,
        alive: async () => this.announced,
        sweep: async () => undefined,
      },
      head: { bump: store.bump },
      freshnessMs: 0,
      clock: () => 0,
      sleep: async () => undefined,
    });
  }
  /** Every text is whole, the pointer's is kept, and the history has every one before it. */
  problems(): string[] {
    const { current } = this;
    if (current === undefined) return ['no pointer'];
    const found: string[] = [];
    for (const [version, text] of this.texts) if (versionOf(text) !== version) found.push('another text');
    if (!this.texts.has(current.version)) found.push('the pointer is at a version that is not kept');
    for (let serial = 1; serial < current.serial; serial += 1)
      if (!this.past.has(serial)) found.push(`the history lacks number ${serial}`);
    return found;
  }
}

/** With number 0 in force. */
export async function started(): Promise<Shared> {
  const shared = new Shared();
  const first = compileVersion(JSON.stringify(policyNumber(0)));
  await startWith(
    first,
    shared.store(async () => 'well'),
    'now',
  );
  return shared;
}

export const changeTo = (number: number, expected: string): PolicyChange => ({
  source: policyNumber(number),
  expected,
  how: 'applied',
  by: 'p',
  reason: 'a test',
});

/**
 * Puts a version of the policy in force: all of it is kept first, then one conditional write of the pointer changes
 * over, then the head is bumped. Whoever dies in between leaves the version before in force, or the new one, and never
 * a part. When it returns, no exchange that begins decides by another version.
 */
import { iso } from '../iso.ts';
import { PolicyError } from '../policy/load.ts';
import { usedMembers } from '../policy/members.ts';
import type { Announcements, InForce, Pointer, PolicyStore } from '../policy/store.ts';
import { compact, compileVersion, type PolicyVersion } from '../policy/version.ts';
import type { Clock, Head } from '../ports.ts';

export interface PolicyChange {
  readonly source: unknown;
  /** The version that the author saw in force. */
  readonly expected: string;
  readonly how: Exclude<InForce['how'], 'packaged'>;
  readonly by: string;
  readonly reason: string;
  readonly commit?: string | undefined;
}
export type PolicyApplied =
  /** `already`: it was in force before, for example because an answer was lost. */
  | { readonly kind: 'applied'; readonly version: string; readonly already: boolean }
  | { readonly kind: 'conflict'; readonly inForce: string | undefined }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  /** Running instances of an older version of the app do not know these members. */
  | { readonly kind: 'unreadable'; readonly members: readonly string[]; readonly instances: number };

export interface ApplyPolicyDeps {
  readonly store: PolicyStore;
  readonly announcements: Announcements;
  readonly head: Head;
  readonly freshnessMs: number;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
}
/**
 * @param mayGoOn is asked when the change is known to be valid and in time, and before anything is written
 * @throws UpstreamFailure: then it is not known which version is in force, and the same call is safe to repeat
 */
export type ApplyPolicy = <Stop>(
  change: PolicyChange,
  mayGoOn: (next: PolicyVersion) => Promise<Stop | undefined>,
) => Promise<PolicyApplied | Stop>;

export function createApplyPolicy(deps: ApplyPolicyDeps): ApplyPolicy {
  const { store, announcements, head, freshnessMs, clock, sleep } = deps;

  return async (change, mayGoOn) => {
    const next = read(change.source);
    if ('problems' in next) return next;
    const pointer = await store.pointer();
    if (pointer?.version === next.version) {
      // The sender may have got no answer before, and the head may not have been bumped.
      await spread();
      return { kind: 'applied', version: next.version, already: true };
    }
    if (pointer?.version !== change.expected) return { kind: 'conflict', inForce: pointer?.version };
    const unread = await unreadable(next);
    if (unread !== undefined) return unread;
    const stop = await mayGoOn(next);
    if (stop !== undefined) return stop;

    await store.keep(next.version, compact(change.source));
    await store.remember(pointer);
    const wanted = inForceOf(change, next, pointer);
    if ((await store.point(wanted, pointer)) === 'moved') {
      // A write whose answer was lost is tried again, and then finds what it wrote itself.
      const found = await store.pointer();
      if (found?.version !== wanted.version) return { kind: 'conflict', inForce: found?.version };
    }
    await spread();
    return { kind: 'applied', version: next.version, already: false };
  };

  /** From here on every instance decides by what the pointer says. */
  async function spread(): Promise<void> {
    await head.bump();
    if (freshnessMs > 0) await sleep(freshnessMs);
  }
  async function unreadable(next: PolicyVersion): Promise<PolicyApplied | undefined> {
    const used = [...usedMembers(next.source)];
    const lacking = (await announcements.alive(clock())).flatMap(({ members }) => {
      const known = new Set(members);
      const missing = used.filter((member) => !known.has(member));
      return missing.length === 0 ? [] : [missing];
    });
    return lacking.length === 0
      ? undefined
      : { kind: 'unreadable', members: [...new Set(lacking.flat())], instances: lacking.length };
  }
  function inForceOf(
    { how, by, reason, commit }: PolicyChange,
    { version }: PolicyVersion,
    { serial }: Pointer,
  ): InForce {
    const at = iso(clock());
    return { version, serial: serial + 1, how, by, reason, at, ...(commit !== undefined && { commit }) };
  }
}

function read(source: unknown): PolicyVersion | Extract<PolicyApplied, { kind: 'invalid' }> {
  try {
    return compileVersion(compact(source));
  } catch (error) {
    if (error instanceof PolicyError) return { kind: 'invalid', problems: error.problems };
    throw error;
  }
}

/**
 * The version of the policy that an app decides by. Both apps follow the pointer: the issuer with each look at a head
 * that has moved, the rotator with each of its functions.
 */
import { UpstreamFailure } from '../upstream.ts';
import { PolicyError } from './load.ts';
import type { PolicyReader, PolicyStore } from './store.ts';
import { compact, compileVersion, type PolicyVersion } from './version.ts';

export interface CurrentPolicy {
  /**
   * @param version what the pointer says
   * @throws UpstreamFailure of `policy` where this version of the app cannot read it: nothing is decided by a guess
   */
  read(version: string): Promise<PolicyVersion>;
  /** One that may come into force next, and is compiled already: then it is not compiled again. */
  prepare(next: PolicyVersion): void;
}

/** @param packaged is not read again when it is the one in force */
export function createCurrentPolicy(
  reader: Pick<PolicyReader, 'text'>,
  packaged: PolicyVersion,
  changed: (now: PolicyVersion) => void,
): CurrentPolicy {
  let latest: PolicyVersion | undefined;
  let prepared: PolicyVersion | undefined;
  return {
    prepare(next) {
      prepared = next;
    },
    async read(version) {
      if (version === latest?.version) return latest;
      const known = [packaged, prepared].find((one) => one?.version === version);
      const next = known ?? compiled(await reader.text(version));
      prepared = undefined;
      latest = next;
      changed(next);
      return next;
    },
  };
}

/**
 * A version that was in force once, for whoever explains what it decided.
 * @returns undefined: it is not kept, or this version of the app cannot read it any more
 */
export async function readVersion(
  reader: Pick<PolicyReader, 'text'>,
  version: string,
): Promise<PolicyVersion | undefined> {
  const text = await reader.text(version);
  if (text === undefined) return undefined;
  try {
    return compileVersion(text);
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}

function compiled(text: string | undefined): PolicyVersion {
  if (text === undefined) throw new UpstreamFailure('tables', 'the policy in force is not there');
  try {
    return compileVersion(text);
  } catch (error) {
    if (error instanceof PolicyError)
      throw new UpstreamFailure('policy', 'this version of the app cannot read the policy in force');
    throw error;
  }
}

/**
 * Puts the packaged policy in force where none ever was. Instances that start together agree, because only one of them
 * can write the first pointer.
 * @returns the version that is in force now
 */
export async function startWith(packaged: PolicyVersion, store: PolicyStore, at: string): Promise<string> {
  const { version, source } = packaged;
  await store.keep(version, compact(source));
  const first = {
    version,
    serial: 1,
    how: 'packaged',
    by: 'the app',
    reason: 'the first policy',
    at,
  } as const;
  if ((await store.point(first, undefined)) === 'pointed') return version;
  const pointer = await store.pointer();
  if (pointer === undefined) throw new UpstreamFailure('tables', 'the pointer of the policy came and went');
  return pointer.version;
}

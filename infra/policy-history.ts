/**
 * What the repository of the policy said earlier. A pipeline replaces only a version that came from this repository:
 * when an operator went back to an earlier one in an emergency, the next merge must not undo it unseen.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

export interface InForceNow {
  readonly version: string;
  readonly policy: object;
  readonly how?: string | undefined;
  readonly commit?: string | undefined;
}
export interface History {
  /** Earlier texts of the file, the newest first. */
  readonly earlier: readonly string[];
  isAncestor(commit: string): boolean;
}

export function cameFromHere({ policy, how, commit }: InForceNow, { earlier, isAncestor }: History): boolean {
  const isWentBack = how === 'rolled back';
  // An author who has taken over what an operator went back to goes on from there.
  const known = isWentBack ? earlier.slice(0, 1) : earlier;
  if (known.some((text) => isSame(text, policy))) return true;
  return !isWentBack && commit !== undefined && isAncestor(commit);
}

export function isSame(text: string, policy: object): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), policy);
  } catch {
    // An earlier text may have been no JSON. It was never in force then.
    return false;
  }
}

const MAX_EARLIER = 50;
const SHA = /^[0-9a-f]{7,64}$/;

/** @param file in a clone that has the history */
export function historyOf(file: string): History {
  const cwd = dirname(file);
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const commits = git('log', `-${MAX_EARLIER + 1}`, '--format=%H', '--', basename(file)).split('\n');
  return {
    // The first one made the file what it is.
    earlier: commits.slice(1).flatMap((commit) => {
      if (commit === '') return [];
      const shown = spawnSync('git', ['show', `${commit}:./${basename(file)}`], { cwd, encoding: 'utf8' });
      return shown.status === 0 ? [shown.stdout] : [];
    }),
    isAncestor: (commit) =>
      SHA.test(commit) &&
      spawnSync('git', ['merge-base', '--is-ancestor', commit, 'HEAD'], { cwd }).status === 0,
  };
}

/**
 * Compares a resource's account with its vault when an event says that one of them changed. Anybody who can write to
 * the topic can invent such events, and each comparison calls Key Vault and ARM. So all events of a resource that wait
 * at the same time share one comparison. An event never shares one that began before the event arrived.
 */
import { coalesce } from '../../coalesce.ts';
import type { KeyRotation } from '../ports.ts';

/**
 * @param version the secret's version, in lower case, if the event names one
 * @returns the outcome in a few words, for the log
 * @throws UpstreamFailure
 */
export type Compare = (resource: string, version: string | undefined) => Promise<string>;

export function createCompare(keys: Pick<KeyRotation, 'heal' | 'publishedVersion'>): Compare {
  const look = (resource: string) =>
    coalesce(async (versions: readonly (string | undefined)[]) => {
      const isNamed = versions.some((version) => version !== undefined);
      const published = isNamed ? (await keys.publishedVersion(resource))?.toLowerCase() : undefined;
      const isOurs = (version: string | undefined) => version !== undefined && version === published;
      if (!versions.every(isOurs)) await keys.heal(resource);
      return isOurs;
    });
  // At most one entry for each resource of the policy, because events about other accounts do not get here.
  const looks = new Map<string, ReturnType<typeof look>>();

  return async (resource, version) => {
    const shared = looks.get(resource) ?? look(resource);
    looks.set(resource, shared);
    const isOurs = await shared(version);
    return isOurs(version) ? 'our own version' : 'compared with the account';
  };
}

/**
 * Compares a resource's account with its vault because an event says that one of them changed. Anybody who can
 * write to the topic can make up such events, and each look costs calls of Key Vault and ARM. So all events of a
 * resource that wait at the same moment share one look, and no event is served by a look that began before it came.
 */
import { coalesce } from '../../coalesce.ts';
import type { KeyRotation } from '../ports.ts';

/**
 * @param version of the secret, lower case, where the event names one
 * @returns what came of it, in words
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
  // At most one for each resource of the policy: an event about any other is not compared.
  const looks = new Map<string, ReturnType<typeof look>>();

  return async (resource, version) => {
    const shared = looks.get(resource) ?? look(resource);
    looks.set(resource, shared);
    const isOurs = await shared(version);
    return isOurs(version) ? 'our own version' : 'compared with the account';
  };
}

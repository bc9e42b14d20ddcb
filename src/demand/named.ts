import { accountKey } from '../account-key.ts';
import type { Resource } from '../policy/schema.ts';
import type { StoredDemand } from './demand.ts';

/** The name that this policy has for what is demanded: it may have been renamed since somebody asked for it. */
export function nameOf(
  { account, resource }: Pick<StoredDemand, 'account' | 'resource'>,
  resources: readonly Pick<Resource, 'name' | 'accountId'>[],
): string {
  return resources.find(({ accountId }) => accountKey(accountId) === account)?.name ?? resource;
}

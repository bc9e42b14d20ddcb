/**
 * The name under which the shared tables hold what belongs to one Azure AI account: the rotation's row, the mint
 * ledger, the history. It is made from the account's ARM id and not from the resource's name in the policy, so a
 * resource can be renamed, removed and added again while instances with either policy run.
 */
import type { SlotState } from './ports.ts';

/**
 * `subscription:resource group:account`, in lower case as ARM ids are compared. A table's key may not hold the
 * slashes of the id (learn.microsoft.com, Understanding the Table service data model), and no part holds a colon.
 */
export function accountKey(accountId: string): string {
  const parts = accountId.toLowerCase().split('/');
  return [parts[2], parts[4], parts[8]].join(':');
}

/** Every exchange needs the key of its account twice, so it is made once for each resource of the policy. */
const keys = new WeakMap<object, string>();

/** Rows of an older version have the resource's name as their key, until the next tick of the rotation. */
export function slotsOf(
  slots: ReadonlyMap<string, SlotState>,
  resource: { readonly accountId: string; readonly name: string },
): SlotState | undefined {
  let key = keys.get(resource);
  if (key === undefined) {
    key = accountKey(resource.accountId);
    keys.set(resource, key);
  }
  return slots.get(key) ?? slots.get(resource.name);
}

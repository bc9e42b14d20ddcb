/** When a cell of the policy was last used, from roll-ups. Pure. */
import type { Usage } from '../../wire.ts';
import type { Given, Subject } from './matrix.ts';

export type LastUse = (subject: Subject, given: Given, resource: string) => string | undefined;

/** @param items by grant, resource and caller, granted ones only */
export function lastUses(items: readonly Usage[]): LastUse {
  const last = new Map<string, string>();
  const note = (key: string, at: string) => {
    if (at > (last.get(key) ?? '')) last.set(key, at);
  };
  for (const { grant, resource, caller, clientId, lastAt } of items) {
    note(keyOf(grant, resource), lastAt);
    if (caller) note(keyOf(grant, resource, caller), lastAt);
    if (clientId) note(keyOf(grant, resource, clientId), lastAt);
  }
  return ({ conditions }, { grant }, resource) => {
    // A rule that names one caller has that caller's use; any other one has the use of whoever came by the grant.
    const id =
      conditions.find(([name]) => name === 'objectId')?.[1] ??
      conditions.find(([name]) => name === 'clientId')?.[1];
    return last.get(keyOf(grant, resource, id));
  };
}
/** Names and ids have no line ends. */
const keyOf = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join('\n');

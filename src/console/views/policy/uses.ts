/** When a cell of the policy was last used, from roll-ups. Pure. */
import type { Usage } from '../../wire.ts';
import type { Subject } from './matrix.ts';

export interface LastUse {
  readonly at: string;
  /** Nobody knows of the row's own callers: it is the last use of the grant, by whomever. */
  readonly isOfGrant: boolean;
}
export interface LastUses {
  of(subject: Subject, grant: string, resource: string): LastUse | undefined;
}

/** @param items by grant and resource, and by caller too where there are not too many; granted ones only */
export function lastUses(items: readonly Usage[]): LastUses {
  const last = new Map<string, string>();
  const note = (key: string, at: string) => {
    if (at > (last.get(key) ?? '')) last.set(key, at);
  };
  let byCaller = false;
  for (const { grant, resource, caller, clientId, lastAt } of items) {
    note(keyOf(grant, resource), lastAt);
    for (const id of [caller, clientId]) if (id) note(keyOf(grant, resource, id), lastAt);
    byCaller ||= caller !== undefined;
  }
  return {
    of(subject, grant, resource) {
      const id = byCaller ? callerOf(subject) : undefined;
      const at = last.get(keyOf(grant, resource, id));
      return at === undefined ? undefined : { at, isOfGrant: id === undefined };
    },
  };
}

/** The one caller that a rule names; other rules hold for many. */
export const callerOf = ({ conditions }: Subject): string | undefined =>
  conditions.find(([name]) => name === 'objectId' || name === 'clientId')?.[1];

/** Names and ids have no line ends. */
const keyOf = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join('\n');

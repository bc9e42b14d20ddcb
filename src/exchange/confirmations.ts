/**
 * What a publisher must say yes to, by name, before a change comes into force: the mistakes that end an access of many,
 * or open one to everybody. A change that goes back to an earlier version needs none.
 */
import { accessDifference } from '../policy/difference.ts';
import type { PolicyVersion } from '../policy/version.ts';
import type { Recorded } from './recorded-requests.ts';
import { createWhatIf } from './what-if.ts';

export type ConfirmationName =
  /** Nobody could operate the broker, because operators come from the home tenant alone. */
  | 'operators-lose-access'
  /** Everybody of a tenant who can have the scope gains a kind of token. */
  | 'whole-tenant-gains'
  /** More than `MAX_TOUCHED_SHARE` of the callers of the last week would get another answer. */
  | 'many-callers-touched';
export interface Confirmation {
  readonly name: ConfirmationName;
  readonly why: string;
}

/** Of the different callers that the audit has of the last week. */
export const MAX_TOUCHED_SHARE = 0.1;

export const createConfirmations =
  (homeTenantId: string) =>
  (before: PolicyVersion, after: PolicyVersion, recorded: Recorded): readonly Confirmation[] => [
    ...operators(homeTenantId, before, after),
    ...wholeTenants(before, after),
    ...manyTouched(after, recorded),
  ];

function operators(homeTenantId: string, before: PolicyVersion, after: PolicyVersion): Confirmation[] {
  const isOut =
    before.compiled.tenantName(homeTenantId) !== undefined &&
    after.compiled.tenantName(homeTenantId) === undefined;
  const why = `the tenant ${homeTenantId} of the broker itself leaves the policy, and all its operators with it`;
  return isOut ? [{ name: 'operators-lose-access', why }] : [];
}

/** A scope is no bound: any client may ask for it, and a person consents. */
const NO_BOUND = ['tenant ', 'scope '];

function wholeTenants(before: PolicyVersion, after: PolicyVersion): Confirmation[] {
  const opened = accessDifference(before.policy, after.policy).filter(
    ({ change, callers }) =>
      change === 'gained' &&
      [...callers].every((condition) => NO_BOUND.some((start) => condition.startsWith(start))),
  );
  const [first] = opened;
  if (first === undefined) return [];
  const who = [...first.callers].join(' and ');
  const more = opened.length > 1 ? `, and ${opened.length - 1} more` : '';
  const why = `everybody with ${who} gains ${first.kind} tokens for ${first.resources.slice(0, 3).join(', ')}${more}`;
  return [{ name: 'whole-tenant-gains', why }];
}

function manyTouched(after: PolicyVersion, { requests }: Recorded): Confirmation[] {
  const whatIf = createWhatIf(after.compiled);
  const callers = new Set<string>();
  for (const { record, count } of requests) {
    whatIf.add(record, count);
    callers.add(callerOf(record));
  }
  const { changed, unlisted } = whatIf.result();
  const touched = new Set(changed.map(({ caller }) => callerOf(caller))).size;
  // What did not fit into the list is many, whoever it was.
  if (unlisted === 0 && touched <= MAX_TOUCHED_SHARE * callers.size) return [];
  const why = `${touched} of the ${callers.size} callers of the last week would get another answer`;
  return [{ name: 'many-callers-touched', why }];
}

const callerOf = ({
  tenantId,
  clientId,
  objectId,
}: Partial<Record<'tenantId' | 'clientId' | 'objectId', string>>) => `${tenantId} ${clientId} ${objectId}`;

/** Which tokens are out that nobody can end, from the record. Pure. */
import type { AuditRecord, Revocation } from '../../wire.ts';
import type { Scope } from './scope.ts';

/** A managed identity's token lives for a day; nothing lives longer. */
export const LONGEST_MS = 24 * 3_600_000;
/** Enough to tell a person; a scope with more is said to have at least so many. */
export const MOST = 5_000;

export interface Out {
  readonly resource: string;
  readonly kind: string;
  readonly count: number;
  readonly untilMs: number;
}
export interface Outstanding {
  readonly count: number;
  /** False: the record has more of it than was read. */
  readonly isAll: boolean;
  readonly byResource: readonly Out[];
  /** When the last one ends; undefined where none is out. */
  readonly lastMs: number | undefined;
}

/** The filter of the record that leaves out the most without leaving out any of the scope. */
export function filterOf(scope: Scope | Revocation['scope']): Readonly<Record<string, string>> {
  const text = (name: string): string => String((scope as Readonly<Record<string, unknown>>)[name] ?? '');
  if (scope.kind === 'user') return { caller: text('objectId') };
  if (scope.kind === 'client') return { caller: text('clientId') };
  return scope.kind === 'resource' ? { resource: text('name') } : {};
}

/** Which member of a record is the scope's, by the scope's kind; the record tells nothing of the other kinds. */
const MEMBERS: Readonly<Record<string, readonly [record: string, scope: string]>> = {
  user: ['objectId', 'objectId'],
  client: ['clientId', 'clientId'],
  tenant: ['tenantId', 'tenantId'],
  token: ['uti', 'uti'],
  grant: ['grant', 'name'],
  resource: ['resource', 'name'],
};

/**
 * @param beforeMs what was handed out later was so under the revocation, to a newer token of Entra
 * @returns undefined where the record cannot tell
 */
export function outstanding(
  scope: Scope | Revocation['scope'],
  records: readonly AuditRecord[],
  isAll: boolean,
  nowMs: number,
  beforeMs = Number.POSITIVE_INFINITY,
): Outstanding | undefined {
  const members = Object.hasOwn(MEMBERS, scope.kind) ? MEMBERS[scope.kind] : undefined;
  if (members === undefined) return undefined;
  const wanted = (scope as Readonly<Record<string, unknown>>)[members[1]];
  const groups = new Map<string, Out>();
  for (const record of records) {
    const { resource = '', tokenKind, expiresAt } = record;
    const untilMs = Date.parse(String(expiresAt));
    if (record[members[0]] !== wanted || !(untilMs > nowMs) || Date.parse(record.at) > beforeMs) continue;
    const kind = String(tokenKind ?? '');
    const before = groups.get(`${resource} ${kind}`) ?? { resource, kind, count: 0, untilMs };
    groups.set(`${resource} ${kind}`, {
      ...before,
      count: before.count + 1,
      untilMs: Math.max(before.untilMs, untilMs),
    });
  }
  const byResource = [...groups.values()].sort((one, other) => other.untilMs - one.untilMs);
  return {
    count: byResource.reduce((sum, { count }) => sum + count, 0),
    isAll,
    byResource,
    lastMs: byResource[0]?.untilMs,
  };
}

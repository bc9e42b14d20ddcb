/** Revocations as operators read them. */
import type { View } from './accounts.ts';
import { table } from './table.ts';

export interface Revocation {
  /** `kind`, the tenant of what is in one, and the id or name. */
  readonly scope: Readonly<Record<string, string>>;
  readonly blocked: boolean;
  readonly reason: string;
  readonly source: string;
  readonly receivedAt: string;
  /** Absent while it is not in force on every instance yet. */
  readonly lastTokenUntil?: string;
}

export function revocationsText(items: readonly Revocation[], { style, times, width }: View): string {
  if (items.length === 0) return 'Nothing is revoked.\n';
  const rows = items.map(({ scope, blocked, reason, source, receivedAt, lastTokenUntil }) => [
    times.brief(receivedAt),
    blocked ? { text: 'blocked', style: style.bad } : { text: 'cut off', style: style.warn },
    `${scope['kind']} ${subjectOf(scope)}`,
    times.brief(lastTokenUntil),
    reason,
    source,
  ]);
  const columns = [
    { head: 'WHEN' },
    { head: 'STATE' },
    { head: 'WHO OR WHAT', atLeast: 22 },
    { head: 'LAST TOKEN ENDS' },
    { head: 'WHY', atLeast: 12 },
    { head: 'BY', atLeast: 12, giveWay: 1 },
  ];
  return table(columns, rows, width, style.dim);
}

const subjectOf = ({ kind: _, tenantId, ...id }: Revocation['scope']): string =>
  Object.values(id)[0] ?? tenantId ?? '';

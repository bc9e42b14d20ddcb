/** What a revocation will end, when at the latest, and what nobody can end: from the audit, before anything is done. */
import type { Api } from './api.ts';
import { hanging } from './render/text.ts';
import type { Times } from './render/time.ts';
import type { NamedScope, ScopeBody } from './scope.ts';
import type { Session } from './session.ts';

export interface AuditItem {
  readonly at: string;
  readonly outcome: string;
  readonly correlationId: string;
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly objectId?: string;
  readonly uti?: string;
  readonly resource?: string;
  readonly grant?: string;
  readonly tokenKind?: string;
  readonly expiresAt?: string;
  readonly reason?: string;
  readonly act?: string;
  readonly target?: string;
  readonly problem?: string;
  readonly count?: number;
  readonly claims?: {
    readonly kind: 'user' | 'application';
    readonly appRoles?: readonly string[];
    readonly scopes?: readonly string[];
    readonly groups?: readonly string[];
  };
}

/** A managed identity's token lives for a day; nothing lives longer. */
const LONGEST_MS = 24 * 3_600_000;
/** Enough to tell a person; a scope with more is said to have at least so many. */
const MOST = 5_000;

export interface Outstanding {
  readonly count: number;
  readonly isAll: boolean;
  readonly byResource: readonly {
    readonly resource: string;
    readonly kind: string;
    readonly count: number;
    readonly until: string;
  }[];
}

/** @returns undefined where the audit may not be read */
export async function outstanding(
  api: Api,
  session: Session,
  { scope }: NamedScope,
): Promise<Outstanding | undefined> {
  const now = session.nowMs();
  let items: readonly AuditItem[];
  try {
    items = await api.all<AuditItem>(
      'audit',
      {
        from: new Date(now - LONGEST_MS).toISOString(),
        to: new Date(now + 60_000).toISOString(),
        outcome: 'granted',
        ...filterOf(scope),
      },
      MOST,
    );
  } catch {
    return undefined;
  }
  const groups = new Map<string, { resource: string; kind: string; count: number; until: string }>();
  for (const item of items) {
    const { expiresAt, resource = '', tokenKind: kind = '' } = item;
    if (expiresAt === undefined || Date.parse(expiresAt) <= now || !covers(scope, item)) continue;
    const group = groups.get(`${resource} ${kind}`) ?? { resource, kind, count: 0, until: expiresAt };
    group.count += 1;
    if (expiresAt > group.until) group.until = expiresAt;
    groups.set(`${resource} ${kind}`, group);
  }
  const byResource = [...groups.values()];
  return {
    count: byResource.reduce((sum, { count }) => sum + count, 0),
    isAll: items.length < MOST,
    byResource,
  };
}

const filterOf = (scope: ScopeBody): Record<string, string> => {
  if (scope.kind === 'user') return { caller: scope.objectId };
  if (scope.kind === 'client') return { caller: scope.clientId };
  return scope.kind === 'resource' ? { resource: scope.name } : {};
};

function covers(scope: ScopeBody, item: AuditItem): boolean {
  switch (scope.kind) {
    case 'user':
      return item.objectId === scope.objectId;
    case 'client':
      return item.clientId === scope.clientId;
    case 'tenant':
      return item.tenantId === scope.tenantId;
    case 'token':
      return item.uti === scope.uti;
    case 'grant':
      return item.grant === scope.name;
    case 'resource':
      return item.resource === scope.name;
  }
}

export function outstandingText(
  { words }: NamedScope,
  block: boolean,
  out: Outstanding | undefined,
  times: Times,
  width: number | undefined,
): string {
  const lines = [
    `Ends at once: every new exchange of ${words}${block ? ', until somebody lifts it' : ' with a token from before now'}.`,
  ];
  if (out === undefined)
    lines.push('What is out already cannot be told: that needs the app role Broker.Auditor.');
  else if (out.count === 0) lines.push('No token of it is out.');
  else {
    lines.push(
      `Cannot be ended: ${out.isAll ? '' : 'at least '}${out.count} token(s) that Azure accepts until they run out:`,
    );
    for (const { resource, kind, count, until } of out.byResource)
      lines.push(`  ${resource} (${kind}): ${count}, the last ${times.at(until)}`);
  }
  return `${lines.map((line) => (line.startsWith(' ') ? line : hanging(line, 0, width))).join('\n')}\n`;
}

/** @returns undefined where the audit could not tell all */
export function lastEnd(out: Outstanding | undefined): string | undefined {
  if (out === undefined || !out.isAll) return undefined;
  return out.byResource
    .map(({ until }) => until)
    .sort()
    .at(-1);
}

import type { AuditItem } from '../outstanding.ts';
import type { View } from './accounts.ts';
import { table } from './table.ts';

export function auditText(items: readonly AuditItem[], { style, times, width }: View): string {
  if (items.length === 0) return 'Nothing is recorded in this span.\n';
  const colours: Readonly<Record<string, (text: string) => string>> = {
    granted: style.good,
    done: style.good,
    refused: style.bad,
    failed: style.bad,
    withheld: style.warn,
  };
  const rows = items.map((item) => {
    const colour = colours[item.outcome];
    return [
      times.brief(item.at),
      {
        text: `${item.outcome}${(item.count ?? 1) > 1 ? ` x ${item.count}` : ''}`,
        ...(colour && { style: colour }),
      },
      item.objectId ?? item.clientId ?? 'nobody known',
      aboutOf(item),
      item.reason ?? item.problem ?? item.grant,
      item.correlationId,
    ];
  });
  const columns = [
    { head: 'WHEN' },
    { head: 'OUTCOME' },
    { head: 'WHO', atLeast: 13, giveWay: 2 },
    { head: 'ABOUT', atLeast: 14 },
    { head: 'WHY', atLeast: 12, giveWay: 3 },
    { head: 'CORRELATION ID', giveWay: 1 },
  ];
  return table(columns, rows, width, style.dim);
}

function aboutOf({ act, target, resource = '', tokenKind }: AuditItem): string {
  if (act !== undefined) return `${act} ${target ?? ''}`.trim();
  return `${resource}${tokenKind === undefined ? '' : ` (${tokenKind})`}`;
}

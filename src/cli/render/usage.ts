/** Usage as people read it. */
import type { Style } from './style.ts';
import { table } from './table.ts';
import type { Times } from './time.ts';

export interface UsageItem {
  readonly at: string;
  readonly resource?: string;
  readonly caller?: string;
  readonly clientId?: string;
  readonly tenantId?: string;
  readonly grant?: string;
  readonly kind?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly count: number;
  readonly lastAt: string;
}
interface View {
  readonly style: Style;
  readonly times: Times;
  readonly width: number | undefined;
  /** Of callers, by object id. */
  readonly names: ReadonlyMap<string, string>;
}

const COLUMNS = ['resource', 'caller', 'grant', 'kind', 'outcome', 'reason'] as const;

export function usageText(
  items: readonly UsageItem[],
  by: readonly string[],
  { style, times, width, names }: View,
): string {
  if (items.length === 0) return 'Nothing was used, as far as the audit is closed.\n';
  const asked = COLUMNS.filter((name) => by.includes(name));
  const isOnePeriod = new Set(items.map(({ at }) => at)).size === 1;
  const rows = items.map((item) => [
    ...(isOnePeriod ? [] : [item.at.slice(0, 16)]),
    ...asked.map((name) => {
      const text = item[name] ?? '-';
      if (name === 'caller') return names.get(text) ?? text;
      return name === 'outcome' ? { text, style: text === 'granted' ? style.good : style.warn } : text;
    }),
    String(item.count).padStart(COUNT.length),
    times.brief(item.lastAt),
  ]);
  const columns = [
    ...(isOnePeriod ? [] : [{ head: 'FROM (UTC)' }]),
    ...asked.map((name) => ({
      head: name.toUpperCase(),
      ...(name === 'reason' && { atLeast: 12, giveWay: 1 }),
    })),
    { head: COUNT },
    { head: 'LAST' },
  ];
  return table(columns, rows, width, style.dim);
}
const COUNT = 'COUNT';

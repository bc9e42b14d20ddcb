import type { Advice } from '../advice.ts';
import type { View } from './accounts.ts';
import { wrap } from './text.ts';

export function adviceText(
  {
    days,
    keysNobodyNeeds,
    keysOfUnknownAge,
    grantsNobodyUsed,
    callersWithMoreThanTheyUse,
  }: Advice & { readonly days: number },
  { style, width = 100 }: Pick<View, 'style' | 'width'>,
): string {
  const section = (title: string, lines: readonly string[], none: string): string => {
    const body =
      lines.length === 0
        ? [style.good(none)]
        : lines.flatMap((line) =>
            wrap(line, width - 4).map((part, at) => `${at === 0 ? '- ' : '  '}${part}`),
          );
    return `${style.bold(title)}\n${body.map((line) => `  ${line}`).join('\n')}\n`;
  };
  const parts = [
    section(
      `Keys that nobody needed in ${days} days (switch them off: disableLocalAuth)`,
      keysNobodyNeeds,
      'every account with keys was used by key',
    ),
    section(
      'Keys whose age nobody knows (rotate them once)',
      keysOfUnknownAge.map(({ account, slot }) => `${account} ${slot}`),
      'none',
    ),
  ];
  if (grantsNobodyUsed === undefined || callersWithMoreThanTheyUse === undefined)
    parts.push(
      style.dim('With --policy FILE: also grants nobody used, and callers that hold more than they use.\n'),
    );
  else
    parts.push(
      section(`Grants that nobody used in ${days} days`, grantsNobodyUsed, 'every grant was used'),
      section(
        'Callers that hold more than they use',
        callersWithMoreThanTheyUse.map(
          ({ objectId, uses, unused }) =>
            `${objectId} uses ${uses.join(', ')} and could have ${unused.join(', ')}`,
        ),
        'none',
      ),
    );
  return parts.join('\n');
}

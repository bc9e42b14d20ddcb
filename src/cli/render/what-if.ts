import type * as z from 'zod';
import type { whatIf } from '../../http/openapi-audit-shapes.ts';
import type { View } from './accounts.ts';
import { table } from './table.ts';

export type WhatIf = z.infer<typeof whatIf>;

export function whatIfText(
  { from, to, until, requests, same, unknown, unlisted, changed }: WhatIf,
  { style, width }: Pick<View, 'style' | 'width'>,
): string {
  const differ = changed.reduce((sum, { count }) => sum + count, unlisted);
  const head = [
    `${requests} requests from ${from} to ${until ?? to}: ${same} would be answered as they were, ${differ} would not.`,
    ...(unknown > 0 ? [`Of ${unknown} the record does not hold enough to say.`] : []),
    ...(until === undefined ? [] : [`Only until ${until} could be read in time: ask again from there.`]),
  ].join('\n');
  if (changed.length === 0) return `${head}\n`;
  const rows = changed.map(({ caller, resource, tokenKind, after, count, example }) => [
    after === 'granted' ? { text: 'gains', style: style.good } : { text: 'loses', style: style.bad },
    caller.objectId,
    `${resource}${tokenKind === undefined ? '' : ` (${tokenKind})`}`,
    String(count),
    example,
  ]);
  const columns = [
    { head: 'DOES' },
    { head: 'CALLER' },
    { head: 'ACCOUNT', atLeast: 10 },
    { head: 'REQUESTS', giveWay: 1 },
    { head: 'ONE OF THEM', giveWay: 2 },
  ];
  return `${head}\n\n${table(columns, rows, width, style.dim)}`;
}

/** An operation, as the person who asked for it reads it. */
import type { Operation } from '../../operations/operation.ts';
import type { View } from './accounts.ts';
import type { Style } from './style.ts';
import { facts, table } from './table.ts';
import { span } from './time.ts';

export function operationText(
  { id, act, target, by, reason, at, state, steps, result, problem }: Operation,
  { style, times, width }: View,
): string {
  const lag = (name: string) => {
    const ms = result?.[name];
    return typeof ms === 'number' ? `within ${span(ms)}` : undefined;
  };
  const head = facts(
    [
      ['operation', id],
      ['act', `${act} ${target}`],
      ['by', by],
      ['reason', reason],
      ['asked', times.at(at)],
      ['state', { text: state, style: colourOf(style)[state] }],
      ['problem', problem && { text: problem.code, style: style.bad }],
      ['to do', problem && { text: problem.advice, style: style.warn }],
      ['new key accepted', lag('newKeyLagMs')],
      ['old key refused', lag('oldKeyLagMs')],
    ],
    style.dim,
    width,
  );
  const told = steps.map((step) => [times.at(step.at) ?? step.at, step.what] as const);
  return `${head}\n${facts(told, style.dim, width)}`;
}

const colourOf = (style: Style) => ({
  succeeded: style.good,
  running: style.bold,
  failed: style.bad,
  superseded: style.warn,
});

export function operationsText(items: readonly Operation[], { style, times, width }: View): string {
  if (items.length === 0) return 'Nobody has acted yet.\n';
  const rows = items.map(({ id, act, target, reason, at, state, problem }) => [
    times.brief(at),
    { text: state, style: colourOf(style)[state] },
    `${act} ${target}`,
    id,
    problem?.advice ?? reason,
  ]);
  const columns = [
    { head: 'WHEN' },
    { head: 'STATE' },
    { head: 'ACT', atLeast: 16 },
    { head: 'OPERATION' },
    { head: 'WHY', atLeast: 10, giveWay: 1 },
  ];
  return table(columns, rows, width, style.dim);
}

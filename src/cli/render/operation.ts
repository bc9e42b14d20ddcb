/** An operation, as the person who asked for it reads it. */
import type { Operation } from '../../operations/operation.ts';
import type { View } from './accounts.ts';
import { facts } from './table.ts';
import { span } from './time.ts';

export function operationText(
  { id, act, target, by, reason, at, state, steps, result, problem }: Operation,
  { style, times }: Pick<View, 'style' | 'times'>,
): string {
  const colour = { succeeded: style.good, running: style.bold, failed: style.bad, superseded: style.warn }[
    state
  ];
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
      ['state', { text: state, style: colour }],
      ['problem', problem && { text: problem.code, style: style.bad }],
      ['to do', problem && { text: problem.advice, style: style.warn }],
      ['new key accepted', lag('newKeyLagMs')],
      ['old key refused', lag('oldKeyLagMs')],
    ],
    style.dim,
  );
  const told = steps.map((step) => [times.at(step.at) ?? step.at, step.what] as const);
  return `${head}\n${facts(told, style.dim)}`;
}

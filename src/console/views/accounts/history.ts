/** The steps that were made, the newest first. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Empty } from '../../parts/state.ts';
import { Table } from '../../parts/table.ts';
import { span, Time } from '../../parts/time.ts';
import type { Step } from '../../wire.ts';
import { DRIFTS } from './drift.ts';

const HEADS = ['When', 'Then', 'After', 'Why'];

export function History({ steps, now }: { readonly steps: readonly Step[]; readonly now: number }): VNode {
  if (steps.length === 0)
    return html`<${Empty}>No step was made yet: the rotator looks every five minutes.<//>`;
  return html`<${Table} class="steps" label="Steps of its rotations" heads=${HEADS}>
    ${steps.map(
      (
        { at, to, tookMs, what, emergency, newKeyLagMs, oldKeyLagMs },
        index,
      ) => html`<tr key=${steps.length - index}>
        <td><${Time} at=${at} now=${now} /></td><td>${to}</td><td>${span(tookMs)}</td>
        <td>
          ${emergency && html`<span class="tag bad">emergency</span> `}
          ${DRIFTS.includes(what) && html`<span class="tag warn">drift</span> `}${what}.
          ${newKeyLagMs !== undefined && ` New key accepted within ${span(newKeyLagMs)}.`}
          ${oldKeyLagMs !== undefined && ` Old key refused within ${span(oldKeyLagMs)}.`}
        </td>
      </tr>`,
    )}
  <//>`;
}

/** The steps that were made, the newest first. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Empty } from '../../parts/state.ts';
import { span, Time } from '../../parts/time.ts';
import type { Step } from '../../wire.ts';
import { DRIFTS } from './drift.ts';

export function History({ steps, now }: { readonly steps: readonly Step[]; readonly now: number }): VNode {
  if (steps.length === 0)
    return html`<${Empty}>No step was made yet: the rotator looks every five minutes.</${Empty}>`;
  return html`<div class="scroll steps" tabindex="0" role="region" aria-label="Steps of its rotations">
    <table>
      <thead><tr><th scope="col">When</th><th scope="col">Then</th><th scope="col">After</th><th scope="col">Why</th></tr></thead>
      <tbody>
        ${steps.map(({ at, to, tookMs, what, emergency, newKeyLagMs, oldKeyLagMs }, index) => {
          return html`<tr key=${steps.length - index}>
            <td><${Time} at=${at} now=${now} /></td>
            <td>${to}</td>
            <td>${span(tookMs)}</td>
            <td>
              ${emergency && html`<span class="tag bad">emergency</span> `}
              ${DRIFTS.includes(what) && html`<span class="tag warn">drift</span> `}${what}.
              ${newKeyLagMs !== undefined && ` New key accepted within ${span(newKeyLagMs)}.`}
              ${oldKeyLagMs !== undefined && ` Old key refused within ${span(oldKeyLagMs)}.`}
            </td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

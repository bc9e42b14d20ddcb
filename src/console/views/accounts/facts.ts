/** What is so with an account, what is next and when, what blocks it and what to do. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { relative, Time } from '../../parts/time.ts';
import type { Account } from '../../wire.ts';
import { ageText } from './list.ts';
import { ageOf, PHASES } from './say.ts';

export function Facts({ account, now }: { readonly account: Account; readonly now: number }): VNode {
  const { rotates, phase, next, blocked, paused, asOf, rotatedAt } = account;
  if (!rotates)
    return html`<p class="card">The broker has no key of this account, or the policy does not have it rotated. Nothing is to be done.</p>`;
  const { part, dueMs } = ageOf(account, now);
  const when = (at: string | undefined) =>
    at !== undefined &&
    html` <span class="quiet">(${relative(Date.parse(at), now)}, <${Time} at=${at} now=${now} />)</span>`;
  return html`${
    blocked &&
    blocked.code !== 'busy' &&
    html`<div class="card blocked" role="alert">
      <p><strong>Blocked:</strong> ${blocked.what}.</p>
      ${blocked.advice && html`<p><strong>What to do:</strong> ${blocked.advice}.</p>`}
    </div>`
  }
    ${paused && html`<p class="card paused"><strong>Paused</strong> by <code>${paused.by}</code>${when(paused.at)}: ${paused.reason}</p>`}
    ${
      phase &&
      phase in PHASES &&
      html`<ol class="phases" aria-label="Phases of a rotation">
      ${Object.entries(PHASES).map(
        ([name, words]) =>
          html`<li key=${name} aria-current=${name === phase ? 'step' : undefined}><strong>${name}</strong> <span>${words}</span></li>`,
      )}
    </ol>`
    }
    <dl class="facts">
      <div><dt>Age of the key in use</dt><dd>${ageText(account, now)}
        ${
          part !== undefined &&
          html` <meter min="0" max="1" high="0.98" value=${Math.min(1, part)} aria-label="Part of its time that the key in use has had"
          >${Math.round(part * 100)} %</meter>`
        }</dd></div>
      ${next && html`<div><dt>Next</dt><dd>${next.what}${when(next.at)}</dd></div>`}
      ${dueMs !== undefined && html`<div><dt>Rotation due</dt><dd><${Time} at=${dueMs} now=${now} /></dd></div>`}
      <div><dt>Last whole rotation</dt><dd>${rotatedAt === undefined ? 'not since the broker has the account' : html`<${Time} at=${rotatedAt} now=${now} />`}</dd></div>
      ${asOf && html`<div><dt>Looked at</dt><dd>${relative(Date.parse(asOf), now)}</dd></div>`}
    </dl>`;
}

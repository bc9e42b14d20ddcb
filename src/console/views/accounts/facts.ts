/** What is so with an account, what is next and when, what blocks it and what to do. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { relative, Time } from '../../parts/time.ts';
import type { Account } from '../../wire.ts';
import { ageText } from './list.ts';
import { ageOf, PHASES } from './say.ts';

interface FactsProps {
  readonly account: Account;
  readonly now: number;
}
const when = (at: string | undefined, now: number) =>
  at !== undefined &&
  html` <span class="quiet">(${relative(Date.parse(at), now)}, <${Time} at=${at} now=${now} />)</span>`;

/** What stops it and what to do, or how far a rotation is. */
export function Going({ account, now }: FactsProps): VNode {
  const { rotates, phase, blocked, paused } = account;
  if (!rotates)
    return html`<p class="card">The broker has no key of this account, or the policy does not have it rotated. Nothing is to be done.</p>`;
  return html`${
    blocked &&
    blocked.code !== 'busy' &&
    html`<div class="card blocked" role="alert">
      <p><strong>Blocked:</strong> ${blocked.what}.</p>
      ${blocked.advice && html`<p><strong>What to do:</strong> ${blocked.advice}.</p>`}
    </div>`
  }
    ${paused && html`<p class="card paused"><strong>Paused</strong> by <code>${paused.by}</code>${when(paused.at, now)}: ${paused.reason}</p>`}
    ${
      phase &&
      phase in PHASES &&
      html`<ol class="phases" aria-label="Phases of a rotation">
      ${Object.entries(PHASES).map(
        ([name, words]) =>
          html`<li key=${name} aria-current=${name === phase ? 'step' : undefined}><strong>${name}</strong> <span>${words}</span></li>`,
      )}
    </ol>`
    }`;
}

export function Facts({ account, now }: FactsProps): VNode {
  const { next, asOf, rotatedAt } = account;
  const { part, dueMs } = ageOf(account, now);
  return html`<dl class="facts">
      <div><dt>Age of the key in use</dt><dd>${ageText(account, now)}${dueMs !== undefined && html` (<${Time} at=${dueMs} now=${now} />)`}
        ${
          part !== undefined &&
          html` <meter min="0" max="1" high="0.98" value=${Math.min(1, part)} aria-label="Part of its time that the key in use has had"
          >${Math.round(part * 100)} %</meter>`
        }</dd></div>
      ${next && html`<div><dt>Next</dt><dd>${Date.parse(next.at ?? '') < now ? 'is due now' : html`${next.what}${when(next.at, now)}`}</dd></div>`}
      <div><dt>Last whole rotation</dt><dd>${rotatedAt === undefined ? 'not since the broker has the account' : html`<${Time} at=${rotatedAt} now=${now} />`}</dd></div>
      ${asOf && html`<div><dt>Looked at</dt><dd>${relative(Date.parse(asOf), now)}</dd></div>`}
    </dl>`;
}

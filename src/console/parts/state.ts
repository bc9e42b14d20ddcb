/** What stands in the place of content that is not there: it loads, it failed, there is none. */
import type { VNode } from 'preact';
import type { Problem } from '../api.ts';
import { html } from '../html.ts';
import type { Answered } from './answer.ts';

export const Loading = (): VNode => html`<p class="quiet" role="status">Loading…</p>`;

/** @param children says what to do to have something here */
export const Empty = ({ children }: { children?: unknown }): VNode => html`<p class="empty">${children}</p>`;

export function Failed({ problem, again }: { problem: Problem; again?: () => void }): VNode {
  return html`<div class="failed" role="alert">
    <p><strong>${titleOf(problem)}</strong> ${problem.detail}</p>
    ${problem.correlationId && html`<p class="quiet">Correlation id: <code>${problem.correlationId}</code></p>`}
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}
  </div>`;
}

/** Of what was asked for: that it loads, or that it failed, also where an earlier answer is still shown. */
export const Waiting = ({ answer, problem, again }: Answered<object>): VNode | undefined =>
  problem ? html`<${Failed} ...${{ problem, again }} />` : answer ? undefined : html`<${Loading} />`;

function titleOf({ status }: Problem): string {
  if (status === 0) return 'No answer.';
  if (status === 401) return 'Not signed in.';
  if (status === 403) return 'Not allowed.';
  return status >= 500 || status === 429 ? 'Not now.' : 'Refused.';
}

/** The two keys of an account: on a time line, and as a table. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { relative, Time } from '../../parts/time.ts';
import type { Params } from '../../route.ts';
import type { ViewProps } from '../../view.ts';
import type { Account, Step } from '../../wire.ts';
import { Drawing, SHAPES } from './drawing.ts';
import { ageOf } from './say.ts';
import { isIn } from './scale.ts';
import { lanesOf } from './timeline.ts';
import { CHOICES, choiceOf, windowOf } from './window.ts';

interface KeysProps extends Pick<ViewProps, 'filter' | 'now'> {
  readonly account: Account;
  readonly steps: readonly Step[];
  readonly params: Params;
}

export function Line({ account, steps, now, filter, params }: KeysProps): VNode {
  const { name, slots = [] } = account;
  const choice = choiceOf(params['time']);
  const span = windowOf(choice, account, steps, now);
  const lanes = lanesOf(account, steps, span.fromMs, now);
  const kinds = new Set(
    lanes.flatMap(({ marks }) => marks.filter(({ atMs }) => isIn(span, atMs)).map(({ kind }) => kind)),
  );
  const label = `Time line of ${name}: ${slots.map(({ slot, state }) => `${slot} is ${state}`).join(', ')}`;
  return html`<div class="row keys-head">
      <h3>Its keys</h3>
      <p class="field"><label for="time">Time line</label>
        <select id="time" value=${choice} onChange=${(event: Event) => filter({ ...params, time: (event.target as HTMLSelectElement).value })}>
          ${Object.entries(CHOICES).map(([value, words]) => html`<option key=${value} value=${value}>${words}</option>`)}
        </select></p>
    </div>
    <div class="card">
      <${Drawing} ...${{ lanes, span, now, label }} dueMs=${ageOf(account, now).dueMs} />
      <ul class="legend">
        ${Object.entries(SHAPES)
          .filter(([kind]) => kinds.has(kind as keyof typeof SHAPES))
          .map(
            ([kind, { d, words }]) =>
              html`<li key=${kind}><svg class=${`mark ${kind}`} width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true"><path d=${d} /></svg> ${words}</li>`,
          )}
      </ul>
    </div>`;
}

export function KeyTable({ account, now }: Pick<KeysProps, 'account' | 'now'>): VNode {
  const { name, slots = [] } = account;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Keys of ${name}`}>
      <table>
        <thead><tr><th scope="col">Slot</th><th scope="col">State</th><th scope="col">Fingerprint</th><th scope="col">Made</th><th scope="col">Its tokens live</th></tr></thead>
        <tbody>${slots.map(
          ({ slot, state, fingerprint, since, tokensUntil }) => html`<tr key=${slot}>
            <th scope="row">${slot}</th>
            <td>${state === 'active' ? 'in use' : state === 'retiring' ? account.phase : state}</td>
            <td><code>${fingerprint ?? '–'}</code></td>
            <td>${since ? html`<${Time} at=${since} now=${now} />` : 'nobody saw when'}</td>
            <td>${tokensUntil && Date.parse(tokensUntil) > now ? html`until <${Time} at=${tokensUntil} now=${now} />, ${relative(Date.parse(tokensUntil), now)}` : 'none'}</td>
          </tr>`,
        )}</tbody>
      </table>
    </div>`;
}

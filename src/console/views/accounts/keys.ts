/** The two keys of an account: on a time line, and as a table. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Table } from '../../parts/table.ts';
import { relative, Time } from '../../parts/time.ts';
import type { Account, Step } from '../../wire.ts';
import { Drawing, SHAPES } from './drawing.ts';
import { ageOf } from './say.ts';
import { isIn } from './scale.ts';
import { lanesOf } from './timeline.ts';
import { windowOf } from './window.ts';

const HEADS = ['Slot', 'State', 'Fingerprint', 'Made', 'Its tokens live'];

interface KeysProps {
  readonly account: Account;
  readonly steps: readonly Step[];
  readonly now: number;
}

export function Line({ account, steps, now }: KeysProps): VNode {
  const { name, slots = [] } = account;
  const span = windowOf(account, steps, now);
  const lanes = lanesOf(account, steps, span.fromMs, now);
  const kinds = new Set(
    lanes.flatMap(({ marks }) => marks.filter(({ atMs }) => isIn(span, atMs)).map(({ kind }) => kind)),
  );
  const label = `Time line of ${name}: ${slots.map(({ slot, state }) => `${slot} is ${state}`).join(', ')}`;
  return html`<h3>Its keys</h3>
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
  return html`<${Table} label=${`Keys of ${name}`} heads=${HEADS}>
    ${slots.map(
      ({ slot, state, fingerprint, since, tokensUntil }) => html`<tr key=${slot}>
            <th scope="row">${slot}</th>
            <td>${state === 'active' ? 'in use' : state === 'retiring' ? account.phase : state}</td>
            <td><code>${fingerprint ?? '–'}</code></td>
            <td>${since ? html`<${Time} at=${since} now=${now} />` : 'nobody saw when'}</td>
            <td>${tokensUntil && Date.parse(tokensUntil) > now ? html`until <${Time} at=${tokensUntil} now=${now} />, ${relative(Date.parse(tokensUntil), now)}` : 'none'}</td>
          </tr>`,
    )}
  <//>`;
}

/** What a draft would change: in words for all possible callers, and for the requests of the last week. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Export } from '../../parts/export.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { linkTo } from '../../route.ts';
import type { PolicyApplied, WhatIf } from '../../wire.ts';

export interface Outcome {
  readonly applied: PolicyApplied;
  readonly whatIf: WhatIf;
}
const HEADS = ['Effect', 'Caller', 'Resource', 'Requests', 'One of them'];

export function Result({ applied, whatIf }: Outcome): VNode {
  const { changes, confirmations = [] } = applied;
  const { requests, same, unknown, changed, unlisted, until } = whatIf;
  const effect = (after: string): string => (after === 'granted' ? 'gains' : 'loses');
  return html`<section class="card">
    <h3>Of all possible callers</h3>
    ${changes.length === 0 ? html`<p>Nobody gains or loses anything.</p>` : html`<ul>${changes.map((one, index) => html`<li key=${index}>${one}</li>`)}</ul>`}
    ${confirmations.map(({ name, why }) => html`<p key=${name}><span class="tag warn">to confirm</span> <code>${name}</code>: ${why}</p>`)}
    <h3>Of the requests of the last week</h3>
    <p>${requests.toLocaleString()} requests: ${same.toLocaleString()} would be answered as they were${unknown > 0 && `, of ${unknown.toLocaleString()} the record does not hold enough to say`}.
      ${until && ` Only until ${until} could be read in time.`}${unlisted > 0 && ` ${unlisted.toLocaleString()} more that change are not listed.`}</p>
    ${
      changed.length > 0 &&
      html`<${Rows} label="Who loses and who gains" class="touched" heads=${HEADS} height=${38} count=${changed.length}
      row=${(index: number) => {
        const one = changed[index];
        return (
          one &&
          html`<${Td}><span class=${`tag ${one.after === 'granted' ? 'good' : 'bad'}`}>${effect(one.after)}</span><//>
          <${Td}><code>${one.caller.objectId}</code><//><${Td}>${one.resource} ${one.tokenKind && `(${one.tokenKind})`}<//><${Td}>${one.count.toLocaleString()}<//>
          <${Td}><a href=${linkTo('explain', { correlation: one.example })}><code>${one.example}</code></a><//>`
        );
      }} />
      <${Export} name="draft" heads=${HEADS} rows=${() => changed.map(({ after, caller, resource, count, example }) => [effect(after), caller.objectId, resource, count, example])} />`
    }
  </section>`;
}

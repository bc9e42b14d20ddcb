/** What a draft would change: in words for all possible callers, and for the requests of the last week. */
import type { VNode } from 'preact';
import { isProblem, type Problem } from '../../api.ts';
import { html } from '../../html.ts';
import { Export } from '../../parts/export.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { linkTo } from '../../route.ts';
import type { PolicyApplied, WhatIf } from '../../wire.ts';

export interface Outcome {
  readonly applied: PolicyApplied;
  /** It may fail alone: it takes no policy that is very large. */
  readonly whatIf: WhatIf | Problem;
}
type Changed = WhatIf['changed'][number];
const HEADS = ['Effect', 'Caller', 'Resource', 'Requests', 'One of them'];
const CLASS = 'touched';

export function Result({ applied, whatIf }: Outcome): VNode {
  const { changes, touched, confirmations = [] } = applied;
  const changed = isProblem(whatIf) ? touched : whatIf.changed;
  return html`<section class="card">
    <h3>Of all possible callers</h3>
    ${changes.length === 0 ? html`<p>Nobody gains or loses anything.</p>` : listOf(changes)}
    ${confirmations.map(
      ({ name, why }) =>
        html`<p key=${name}><span class="tag warn">to confirm</span> <code>${name}</code>: ${why}</p>`,
    )}
    <h3>Of the requests of the last week</h3>
    <p>${isProblem(whatIf) ? `They were not counted: ${whatIf.detail}` : inWords(whatIf)}</p>
    ${
      changed.length === 0
        ? html`<p>Nobody who came would be answered otherwise.</p>`
        : html`<${Rows} label="Who loses and who gains" class=${CLASS} heads=${HEADS} height=${38} count=${changed.length}
            row=${(index: number) => rowOf(changed[index])} />
          <${Export} name="draft" heads=${HEADS} rows=${() => changed.map(cellsOf)} />`
    }
  </section>`;
}

export const listOf = (lines: readonly string[]): VNode =>
  html`<ul>${lines.map((line, index) => html`<li key=${index}>${line}</li>`)}</ul>`;

const effectOf = ({ before, after }: Changed): string =>
  before === after ? 'another kind' : after === 'granted' ? 'gains' : 'loses';
const aboutOf = ({ resource, tokenKind }: Changed): string =>
  `${resource}${tokenKind === undefined ? '' : ` (${tokenKind})`}`;
const cellsOf = (one: Changed) => [effectOf(one), one.caller.objectId, aboutOf(one), one.count, one.example];

function rowOf(one: Changed | undefined): VNode | undefined {
  if (one === undefined) return undefined;
  const tone = one.after === 'granted' ? 'good' : 'bad';
  return html`<${Td}><span class=${`tag ${tone}`}>${effectOf(one)}</span><//>
    <${Td}><code>${one.caller.objectId}</code><//><${Td}>${aboutOf(one)}<//>
    <${Td}>${one.count.toLocaleString()}<//>
    <${Td}><a href=${linkTo('explain', { correlation: one.example })}><code>${one.example}</code></a><//>`;
}

const inWords = ({ requests, same, unknown, unlisted, until }: WhatIf): string =>
  [
    `${requests.toLocaleString()} requests: ${same.toLocaleString()} would be answered as they were.`,
    unknown > 0 && `Of ${unknown.toLocaleString()} the record does not hold enough to say.`,
    unlisted > 0 && `${unlisted.toLocaleString()} more that change are not listed.`,
    until && `Only until ${until} could be read in time.`,
  ]
    .filter(Boolean)
    .join(' ');

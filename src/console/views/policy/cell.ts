/** What is behind one cell: each grant, what holds under it, its last use, and the ways on. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import type { Shown } from './grid.ts';

interface CellDetailsProps extends Shown {
  /** As the address has it: a JSON list of the row's key and the resource. */
  readonly cell: string | undefined;
  readonly close: () => void;
}

export function CellDetails({ matrix, lastUse, now, cell = '', close }: CellDetailsProps): VNode {
  const [key, resource] = readCell(cell);
  const row = matrix.subjects.findIndex((subject) => subject.key === key);
  const [subject, given] = [matrix.subjects[row], matrix.cell(row, matrix.resources.indexOf(resource))];
  const id = subject?.conditions.find(([name]) => name === 'objectId' || name === 'clientId')?.[1];
  // The region is always there, so that it is read out when it is filled.
  return html`<div role="status">${
    subject &&
    given.length > 0 &&
    html`<section class="card">
    <h2>${resource}: ${given.map(({ grant }) => grant).join(', ')}</h2>
    <p>${subject.conditions.map(([name, value]) => html`<span key=${name}>${name} <code>${value}</code> </span>`)}</p>
    <ul>${given.map((one) => {
      const last = lastUse?.(subject, one, resource);
      return html`<li key=${one.grant}><b>${one.grant}</b>: ${one.kinds.join(', ') || 'none of its kinds'}, alive ${one.maxLifetime} at most${one.rate && `, ${one.rate} for each caller`}.
        ${one.isShadow && ' On trial: it gives nothing yet.'}${one.tried && ` On trial: ${one.tried}.`}
        ${lastUse && (last ? html` Last used <${Time} at=${last} now=${now} />.` : ' Not used in the last 30 days.')}
        <a href=${linkTo('traffic', { grant: one.grant, resource, span: 'month' })}>Its traffic</a></li>`;
    })}</ul>
    <p class="row"><a href=${linkTo('record', { resource, caller: id })}>Records</a><button type="button" onClick=${close}>Close</button></p>
  </section>`
  }</div>`;
}

function readCell(cell: string): readonly [string, string] {
  try {
    const [key, resource] = JSON.parse(cell) as readonly unknown[];
    return [String(key), String(resource)];
  } catch {
    return ['', ''];
  }
}

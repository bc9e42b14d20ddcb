/** What is behind one cell: each grant, what holds under it, its last use, and the ways on. */
import type { VNode } from 'preact';
import type { All, Api } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import type { Usage } from '../../wire.ts';
import type { Shown } from './grid.ts';
import type { Given, Subject } from './matrix.ts';
import { callerOf, lastUses } from './uses.ts';

interface CellProps extends Pick<Shown, 'matrix' | 'now'> {
  readonly api: Api;
  /** As the address has it: a JSON list of the row's key and the resource. */
  readonly cell: string | undefined;
  readonly close: () => void;
}

export function CellDetails({ matrix, cell = '', ...others }: CellProps): VNode {
  const [key, resource] = readCell(cell);
  const row = matrix.subjects.findIndex((subject) => subject.key === key);
  const [subject, given] = [matrix.subjects[row], matrix.cell(row, matrix.resources.indexOf(resource))];
  // The region is always there, so that it is read out when it is filled.
  return html`<div role="status">${
    subject &&
    given.length > 0 &&
    html`<${Details} key=${cell} ...${{ subject, given, resource, ...others }} />`
  }</div>`;
}

interface DetailsProps extends Omit<CellProps, 'matrix' | 'cell'> {
  readonly subject: Subject;
  readonly given: readonly Given[];
  readonly resource: string;
}

function Details({ subject, given, resource, api, now, close }: DetailsProps): VNode {
  const caller = callerOf(subject);
  // Of one caller and one resource, so that it is exact however many there are.
  const { answer } = useAnswer<All<Usage>>(
    () =>
      api.all('usage', { by: 'grant,resource,caller', per: 'span', outcome: 'granted', resource, caller }),
    [],
  );
  const uses = answer && lastUses(answer.items);
  return html`<section class="card">
    <h2>${resource}: ${given.map(({ grant }) => grant).join(', ')}</h2>
    <p>${subject.conditions.map(([name, value]) => html`<span key=${name}>${name} <code>${value}</code> </span>`)}</p>
    <ul>${given.map(({ grant, kinds, maxLifetime, rate, isShadow, tried }) => {
      const last = uses?.of(subject, grant, resource)?.at;
      return html`<li key=${grant}><b>${grant}</b>: ${kinds.join(', ') || 'none of its kinds'}, alive ${maxLifetime} at most${rate && `, ${rate} for each caller`}.
        ${isShadow && ' On trial: it gives nothing yet.'}${tried && ` On trial: ${tried}.`}
        ${uses && (last ? html` Last used <${Time} at=${last} now=${now} />.` : ' Not used in the last 30 days.')}${' '}
        <a href=${linkTo('traffic', { grant, resource, caller, span: 'month' })}>Its traffic</a></li>`;
    })}</ul>
    <p class="row"><a href=${linkTo('record', { resource, caller })}>Records</a><button type="button" onClick=${close}>Close</button></p>
  </section>`;
}

function readCell(cell: string): readonly [string, string] {
  try {
    const [key, resource] = JSON.parse(cell) as readonly unknown[];
    return [String(key), String(resource)];
  } catch {
    return ['', ''];
  }
}

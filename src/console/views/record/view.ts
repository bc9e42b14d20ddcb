/** Record: what was decided and done, by day, resource and caller, and how far it is proved. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { All } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Waiting } from '../../parts/state.ts';
import type { ViewProps } from '../../view.ts';
import type { AuditRecord } from '../../wire.ts';
import { readAskedRecords, shownRecord } from './asked.ts';
import { RecordFilters } from './filters.ts';
import { Proof } from './proof.ts';
import { Records } from './records.ts';

/** So many are read at a time; further ones when they are asked for. */
const STEP = 2_000;

export function Record(view: ViewProps): VNode {
  const { api, now } = view;
  const { params } = view.route;
  const asked = readAskedRecords(params, now);
  const { fromMs, toMs, resource, caller, outcome, correlation } = asked;
  const [most, setMost] = useState(STEP);
  const about = [fromMs, toMs, resource, caller, outcome];
  useEffect(() => setMost(STEP), about);
  const query = { from: iso(fromMs), to: iso(toMs), resource, caller, outcome };
  const answered = useAnswer<All<AuditRecord>>(() => api.all('audit', query, most), [...about, most]);
  const { answer, again } = answered;
  const records = (answer?.items ?? []).filter(
    ({ correlationId, samples }) =>
      !correlation ||
      correlationId === correlation ||
      samples?.some((one) => one.correlationId === correlation),
  );
  return html`<div class="record">
    <${RecordFilters} ...${{ view, asked, again }} />
    <${Waiting} ...${answered} />
    ${answer && html`<${Records} ...${{ params, now }} records=${records.map(shownRecord)} />`}
    ${
      answer?.more &&
      html`<p class="row">These are the first ${most.toLocaleString()}.
      <button type="button" onClick=${() => setMost(most + STEP)}>Read ${STEP.toLocaleString()} more</button></p>`
    }
    <h2>Its proof</h2>
    <${Proof} ...${{ api, now }} from=${query.from} to=${query.to} />
  </div>`;
}
const iso = (ms: number): string => new Date(ms).toISOString();

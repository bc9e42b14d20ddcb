/** Which records: a day or the last hour, a resource, a caller, an outcome, one correlation id. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Choice, changing, Filters, Find } from '../../parts/filters.ts';
import { Time } from '../../parts/time.ts';
import type { ViewProps } from '../../view.ts';
import { type AskedRecords, dayOf, OUTCOMES } from './asked.ts';

interface RecordFiltersProps {
  readonly view: ViewProps;
  readonly asked: AskedRecords;
  readonly again: () => void;
}
const DAY = /^\d{4}-\d\d-\d\d$/;
const OPTIONS = [['', 'Every outcome'], ...OUTCOMES.map((outcome) => [outcome, outcome])];

export function RecordFilters({ view, asked, again }: RecordFiltersProps): VNode {
  const { day = '', resource, caller, correlation } = view.route.params;
  const change = changing(view);
  // A day takes the place of the span that a link has brought.
  const ofDay = changing(view, { from: undefined, to: undefined })('day');
  const turn = (days: number) => {
    const date = new Date(asked.fromMs);
    date.setDate(date.getDate() + days);
    ofDay(dayOf(date.getTime()));
  };
  return html`<${Filters} again=${again}>
      <div class="row day"><${Find} label="Day" type="date" value=${DAY.test(day) ? day : ''} find=${ofDay} />
      <button type="button" onClick=${() => turn(-1)}>Earlier</button>
      <button type="button" onClick=${() => turn(1)} disabled=${asked.toMs > view.now}>Later</button></div>
      <${Find} whole label="Resource" value=${resource} find=${change('resource')} />
      <${Find} whole label="Caller" value=${caller} hint="object or client id" find=${change('caller')} />
      <${Choice} label="Outcome" value=${asked.outcome ?? ''} options=${OPTIONS} choose=${change('outcome')} />
      <${Find} whole label="Correlation id" value=${correlation} find=${change('correlation')} />
      <button type="submit">Read again</button>
    <//>
    <p class="quiet">From <${Time} at=${asked.fromMs} /> to <${Time} at=${asked.toMs} />
      ${caller && !asked.caller && '. Of all callers: a caller is an object id or a client id, such as 3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01.'}</p>`;
}

/** Which records: a day or the last hour, a resource, a caller, an outcome, one correlation id. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Choice, Find } from '../../parts/filters.ts';
import { Time } from '../../parts/time.ts';
import type { ViewProps } from '../../view.ts';
import { type AskedRecords, dayOf, OUTCOMES } from './asked.ts';

interface RecordFiltersProps extends Pick<ViewProps, 'filter' | 'now'> {
  readonly params: ViewProps['route']['params'];
  readonly asked: AskedRecords;
  readonly again: () => void;
}
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DAY = /^\d{4}-\d\d-\d\d$/;
const OPTIONS = [['', 'Every outcome'], ...OUTCOMES.map((outcome) => [outcome, outcome])];

export function RecordFilters({ params, asked, filter, now, again }: RecordFiltersProps): VNode {
  const put = (more: Readonly<Record<string, string | undefined>>) => filter({ ...params, ...more });
  const ofDay = (day: string) => put({ day: day || undefined, from: undefined, to: undefined });
  const turn = (days: number) => {
    const date = new Date(asked.fromMs);
    date.setDate(date.getDate() + days);
    ofDay(dayOf(date.getTime()));
  };
  const { day, resource, caller, correlation } = params;
  // Half of an id finds nobody, and the broker says so; it is not asked before the id is whole.
  const isPart = caller !== undefined && !GUID.test(caller);
  return html`<form class="row filters" onSubmit=${(event: Event) => {
    event.preventDefault();
    again();
  }}>
      <div class="row day"><${Find} label="Day" type="date" value=${DAY.test(day ?? '') ? day : ''} find=${ofDay} />
      <button type="button" onClick=${() => turn(-1)}>Day before</button>
      <button type="button" onClick=${() => turn(1)} disabled=${asked.toMs > now}>Day after</button></div>
      <${Find} label="Resource" value=${resource} find=${(text: string) => put({ resource: text || undefined })} />
      <${Find} label="Caller" value=${caller} hint="object or client id" find=${(text: string) => put({ caller: text.trim() || undefined })} />
      <${Choice} label="Outcome" value=${asked.outcome ?? ''} options=${OPTIONS} choose=${(value: string) => put({ outcome: value || undefined })} />
      <${Find} label="Correlation id" value=${correlation} find=${(text: string) => put({ correlation: text.trim() || undefined })} />
      <button type="submit">Read again</button>
    </form>
    <p class="quiet">From <${Time} at=${asked.fromMs} /> to <${Time} at=${asked.toMs} />${isPart && '. A caller is an object id or a client id, such as 3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01.'}</p>`;
}

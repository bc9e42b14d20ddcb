/** Exchanges and refusals over time, each with a scale of its own: ten refusals are seen beside a million exchanges. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Export } from '../../parts/export.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import { type Bar, Bars } from './bars.ts';
import type { Asked, Column } from './series.ts';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const clockOfDay = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: 'numeric',
  minute: '2-digit',
});
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric' });
/** How a column's beginning is written under the chart, and in its name. */
const WRITTEN = {
  day: { tick: clock, when: clockOfDay },
  week: { tick: date, when: clockOfDay },
  month: { tick: date, when: date },
  year: { tick: month, when: month },
} as const;
const HEADS = ['From', 'Granted', 'Refused'];

export function Chart({ asked, columns }: { asked: Asked; columns: readonly Column[] }): VNode {
  const { tick, when } = WRITTEN[asked.span];
  const { resource, caller } = asked.only;
  const barsOf = (outcome: 'granted' | 'refused'): Bar[] =>
    columns.map(({ fromMs, toMs, [outcome]: count }) => ({
      key: fromMs,
      count,
      when: when.format(fromMs),
      href: linkTo('record', { from: iso(fromMs), to: iso(toMs), resource, caller, outcome }),
    }));
  const marks = [0, Math.floor(columns.length / 2), columns.length - 1];
  return html`<section class="card" aria-label="Over time">
    <${Bars} what="granted" bars=${barsOf('granted')} />
    <${Bars} what="refused" bars=${barsOf('refused')} />
    <p class="ticks" aria-hidden="true">
      ${marks.map((place) => html`<span key=${place}>${tick.format(columns[place]?.fromMs ?? 0)}</span>`)}
    </p>
    <details>
      <summary>The same as a table</summary>
      <${Rows} label="Exchanges over time" class="over-time" heads=${HEADS} height=${34} count=${columns.length}
        row=${(index: number) => {
          const { fromMs = 0, granted = 0, refused = 0 } = columns[index] ?? {};
          return html`<${Td}><${Time} at=${fromMs} /><//><${Td}>${granted.toLocaleString()}<//><${Td}>${refused.toLocaleString()}<//>`;
        }} />
      <${Export} name="traffic-over-time" heads=${HEADS}
        rows=${() => columns.map(({ fromMs, granted, refused }) => [iso(fromMs), granted, refused])} />
    </details>
  </section>`;
}
const iso = (ms: number): string => new Date(ms).toISOString();

/** Exchanges and refusals over time, each with a scale of its own: ten refusals are seen beside a million exchanges. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Export } from '../../parts/export.ts';
import { Table } from '../../parts/table.ts';
import { Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import { type Bar, Bars } from './bars.ts';
import { type Asked, type Column, SPANS } from './series.ts';

const withHour = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
/** Days and months are those of UTC, as the roll-ups are. */
const withDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const HEADS = ['From', 'Granted', 'Refused'];

export function Chart({ asked, columns }: { asked: Asked; columns: readonly Column[] }): VNode {
  const { format } = SPANS[asked.span].per === 'hour' ? withHour : withDay;
  const { resource, caller } = asked.only;
  const barsOf = (outcome: 'granted' | 'refused'): Bar[] =>
    columns.map(({ fromMs, toMs, [outcome]: count }) => ({
      key: fromMs,
      count,
      when: format(fromMs),
      href: linkTo('record', { from: iso(fromMs), to: iso(toMs), resource, caller, outcome }),
    }));
  return html`<section class="card" aria-label="Over time">
    <${Bars} what="granted" bars=${barsOf('granted')} />
    <${Bars} what="refused" bars=${barsOf('refused')} />
    <p class="ticks" aria-hidden="true">
      <span>${format(asked.edges[0])}</span><span>${format(asked.edges.at(-1))}</span>
    </p>
    <details>
      <summary>The same as a table</summary>
      <${Table} label="Over time" heads=${HEADS}>
        ${columns.map(
          ({ fromMs, granted, refused }) =>
            html`<tr key=${fromMs}><td><${Time} at=${fromMs} /></td><td>${granted.toLocaleString()}</td><td>${refused.toLocaleString()}</td></tr>`,
        )}
      <//>
      <${Export} name="traffic-over-time" heads=${HEADS}
        rows=${() => columns.map(({ fromMs, granted, refused }) => [iso(fromMs), granted, refused])} />
    </details>
  </section>`;
}
const iso = (ms: number): string => new Date(ms).toISOString();

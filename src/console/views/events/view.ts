/** Events: what came in from Azure and from transmitters, what it did, and what could not be understood. */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { All } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Export } from '../../parts/export.ts';
import { Choice, changing, Filters, Find } from '../../parts/filters.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { Empty, Waiting } from '../../parts/state.ts';
import { Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import type { ViewProps } from '../../view.ts';
import type { BrokerEvent } from '../../wire.ts';
import { KINDS, readKind, type ShownEvent, shownEvent, wantedEvents } from './shown.ts';

const EVERY_MS = 5_000;
const MOST = 3_000;
const HEADS = ['When', 'What', 'About', 'What it did', 'From'];
const OPTIONS = [['', 'Everything'], ...Object.entries(KINDS).map(([name, { title }]) => [name, title])];

export function Events(view: ViewProps): VNode {
  const { api, now, filter } = view;
  const { params } = view.route;
  const asked = useAnswer<All<BrokerEvent>>(() => api.all('events', {}, MOST), [], EVERY_MS);
  const { answer } = asked;
  const all = useMemo(() => answer?.items.map(shownEvent) ?? [], [answer]);
  const events = wantedEvents(all, readKind(params), params['find']);
  const change = changing(view);
  const chosen = all.find(({ id }) => id === params['event']);
  return html`<div class="events">
    <${Filters}>
      <${Choice} label="Show" value=${readKind(params) ?? ''} options=${OPTIONS} choose=${change('kind')} />
      <${Find} label="Find" value=${params['find']} find=${change('find')} />
      <p role="status">${events.length.toLocaleString()} of ${all.length.toLocaleString()}</p>
      <${Export} name="events" heads=${HEADS}
        rows=${() => events.map(({ at, kind, about, did, from }) => [at, KINDS[kind].title, about, did, from])} />
    <//>
    <${Waiting} ...${asked} />
    ${answer && all.length === 0 && html`<${Empty}>Nothing has come in. Events of Key Vault, of accounts and of users, and signals of transmitters, are listed here as they come.<//>`}
    ${chosen && html`<${Details} event=${chosen} close=${() => filter({ ...params, event: undefined })} />`}
    ${
      all.length > 0 &&
      html`<${Rows} label="Events, the newest first" heads=${HEADS} height=${38} count=${events.length}
      row=${(index: number) => rowOf(events[index], params, now)} />`
    }
    ${answer?.more && html`<p class="quiet">These are the latest ${MOST.toLocaleString()}.</p>`}
  </div>`;
}

function rowOf(event: ShownEvent | undefined, params: ViewProps['route']['params'], now: number) {
  if (event === undefined) return undefined;
  const { id, at, kind, about, did, from } = event;
  const { title, tone } = KINDS[kind];
  return html`<${Td}><a href=${linkTo('events', { ...params, event: id })}><${Time} at=${at} now=${now} /></a><//>
    <${Td}><span class=${`tag ${tone}`}>${title}</span><//>
    <${Td}><code>${about}</code><//><${Td}>${did}<//><${Td}>${from}<//>`;
}

/** Everything that is kept of one event. */
function Details({ event: { kind, at, all }, close }: { event: ShownEvent; close: () => void }): VNode {
  return html`<section class="card" role="status">
    <h2>${KINDS[kind].title}, <${Time} at=${at} /></h2>
    <dl>${all.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <button type="button" onClick=${close}>Close</button>
  </section>`;
}

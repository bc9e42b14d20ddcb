/** Traffic: how many exchanges were granted and refused, when, for what, to whom and why. */
import type { VNode } from 'preact';
import type { All } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Choice, changing, Filters, Find } from '../../parts/filters.ts';
import { Empty, Waiting } from '../../parts/state.ts';
import type { ViewProps } from '../../view.ts';
import type { Usage } from '../../wire.ts';
import { Chart } from './chart.ts';
import { columnsOf, DIMENSIONS, readAsked, SPANS, sharesOf } from './series.ts';
import { NAMES, Shares } from './shares.ts';

const EVERY_MS = 10_000;
const MOST = 20_000;

export function Traffic(view: ViewProps): VNode {
  const { api, now, filter } = view;
  const { params } = view.route;
  const asked = readAsked(params, now);
  const { by, span, edges, only } = asked;
  const range = { from: iso(edges[0]), to: iso(edges.at(-1)), ...only };
  const about = [span, edges[0], JSON.stringify(only)];
  const ask = (by: string, per: string) => () => api.all<Usage>('usage', { ...range, by, per }, MOST);
  const overTime = useAnswer<All<Usage>>(ask('outcome', SPANS[span].per), about, EVERY_MS);
  const apart = useAnswer<All<Usage>>(
    ask(`${by},outcome`, 'span'),
    [...about, by],
    // There may be ten thousand callers.
    by === 'caller' ? 0 : EVERY_MS,
  );
  const change = changing(view);
  const free = DIMENSIONS.filter((each) => only[each] === undefined);
  const { answer, problem } = overTime;
  const columns = columnsOf(answer?.items ?? [], edges);
  return html`<div class="traffic">
    <${Filters}>
      <${Choice} label="When" value=${span} choose=${change('span')}
        options=${Object.entries(SPANS).map(([name, { title }]) => [name, title])} />
      <${Choice} label="Told apart by" value=${by} choose=${change('by')} options=${free.map((each) => [each, NAMES[each]])} />
      <${Find} label="Find" value=${params['find']} find=${change('find')} />
    <//>
    ${
      Object.entries(only).length > 0 &&
      html`<ul class="row chosen" aria-label="Only these">
      ${Object.entries(only).map(
        ([name, value]) => html`<li key=${name}>
          <button type="button" onClick=${() => filter({ ...params, [name]: undefined })} aria-label=${`Remove filter ${name} ${value}`}
            >${name}: <b>${value}</b> ✕</button>
        </li>`,
      )}
    </ul>`
    }
    ${problem?.status === 404 ? html`<${Empty}>This broker keeps no roll-ups yet. The records themselves are under Record.<//>` : html`<${Waiting} ...${overTime} />`}
    ${
      answer &&
      (answer.items.length === 0
        ? html`<${Empty}>No exchanges are counted in this time. A minute is counted soon after it ended; to have one, run <code>npx azure-ai-token-broker token speech</code>.<//>`
        : html`<${Chart} ...${{ asked, columns }} />`)
    }
    ${
      apart.answer &&
      apart.answer.items.length > 0 &&
      html`<h2>By ${NAMES[by].toLowerCase()}</h2>
      <${Shares} ...${{ by, params, now }} shares=${sharesOf(apart.answer.items, by)} />
      ${apart.answer.more && html`<p class="quiet">There are more than can be added up here, so these numbers are too low: take a shorter time, or choose a resource.</p>`}`
    }
  </div>`;
}
const iso = (ms = 0): string => new Date(ms).toISOString();

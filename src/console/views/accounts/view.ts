/** *Accounts*: every account with its two keys, and the one that is open beside the list. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Find } from '../../parts/filters.ts';
import { Empty, Failed, Loading } from '../../parts/state.ts';
import { linkTo } from '../../route.ts';
import type { ViewProps } from '../../view.ts';
import type { Account } from '../../wire.ts';
import { Detail } from './detail.ts';
import { List } from './list.ts';
import { isShown, SHOWN, type Shown, shownOf } from './say.ts';

const EVERY_MS = 4_000;
const MOST = 10_000;

export function Accounts(props: ViewProps): VNode {
  const { api, route, filter, now } = props;
  const { params } = route;
  const { answer, problem, again } = useAnswer(() => api.all<Account>('accounts', {}, MOST), [], EVERY_MS);
  if (answer === undefined)
    return problem ? html`<${Failed} problem=${problem} again=${again} />` : html`<${Loading} />`;
  const { items } = answer;
  if (items.length === 0)
    return html`<${Empty}>The policy names no account. Add one to its resources, and apply it.<//>`;
  const shown = shownOf(params['show']);
  const text = params['q'] ?? '';
  const found = items.filter((account) => isShown(account, shown, text));
  const name = params['account'] ?? '';
  const count = (each: Shown): number => items.filter((account) => isShown(account, each, '')).length;
  return html`<div class=${name ? 'accounts open' : 'accounts'}>
    <div class="accounts-all">
      <div class="row">
        <${Find} label="Find an account" value=${text} find=${(q: string) => filter({ ...params, q })} />
        <p class="row which" role="group" aria-label="Which accounts">
          ${Object.entries(SHOWN).map(
            ([value, words]) => html`<button key=${value} type="button" aria-pressed=${value === shown}
              onClick=${() => filter({ ...params, show: value })}>${words} <span class="quiet">${count(shownOf(value))}</span></button>`,
          )}
        </p>
      </div>
      ${problem && html`<${Failed} problem=${problem} again=${again} />`}
      ${
        found.length === 0
          ? html`<${Empty}>No account is so. <button type="button" onClick=${() => filter({ account: name })}>Show all</button><//>`
          : html`<${List} accounts=${found} params=${params} now=${now} />`
      }
    </div>
    ${
      name &&
      html`<div class="accounts-one">
          <p class="back"><a href=${linkTo('accounts', { ...params, account: undefined, operation: undefined })}>← All accounts</a></p>
          <${Detail} key=${name} ...${props} name=${name} />
        </div>`
    }
  </div>`;
}

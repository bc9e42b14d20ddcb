/** All accounts, each with its keys on a small time line. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Rows } from '../../parts/rows.ts';
import { Tag } from '../../parts/tag.ts';
import { span } from '../../parts/time.ts';
import { linkTo, type Params } from '../../route.ts';
import type { Account } from '../../wire.ts';
import { Drawing } from './drawing.ts';
import { ageOf, stateOf } from './say.ts';
import { lanesOf } from './timeline.ts';
import { windowOf } from './window.ts';

interface ListProps {
  readonly accounts: readonly Account[];
  readonly params: Params;
  readonly now: number;
}
const HIGH = 92;

export const List = ({ accounts, params, now }: ListProps): VNode =>
  html`<${Rows} class="accounts-list" label="Accounts" count=${accounts.length} height=${HIGH}
    row=${(at: number) => accounts[at] && html`<${Row} account=${accounts[at]} ...${{ params, now }} />`} />`;

function Row({
  account,
  params,
  now,
}: Pick<ListProps, 'params' | 'now'> & { readonly account: Account }): VNode {
  const { name, kind, rotates } = account;
  const spanned = windowOf(account, [], now);
  return html`<a class="account-row" href=${linkTo('accounts', { ...params, account: name, operation: undefined })}
    aria-current=${params['account'] === name ? 'true' : undefined}>
    <span class="name"><strong>${name}</strong> <span class="quiet">${kind}</span></span>
    <${Tag} ...${stateOf(account)} />
    <span class="quiet line">${rotates ? ageText(account, now) : 'The broker does not rotate its keys.'}</span>
    ${
      rotates &&
      account.slots &&
      html`<span class="draw"><${Drawing} small lanes=${lanesOf(account, [], spanned.fromMs, now)}
      span=${spanned} now=${now} dueMs=${ageOf(account, now).dueMs} /></span>`
    }
  </a>`;
}

export function ageText(account: Account, now: number): string {
  const { sinceMs, dueMs } = ageOf(account, now);
  const age = sinceMs === undefined ? 'Key of unknown age' : `Key ${span(now - sinceMs, 1)} old`;
  if (dueMs === undefined) return age;
  return dueMs < now
    ? `${age}, was due ${span(now - dueMs, 1)} ago`
    : `${age}, due in ${span(dueMs - now, 1)}`;
}

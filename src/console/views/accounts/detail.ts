/** One account: its keys on a time line, what is next, what blocks it and what to do, and what was done. */
import type { VNode } from 'preact';
import { type Api, isProblem, pathOf } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Followed } from '../../parts/operation.ts';
import { Failed, Loading } from '../../parts/state.ts';
import { Tag } from '../../parts/tag.ts';
import type { ViewProps } from '../../view.ts';
import type { Account, Page, Step } from '../../wire.ts';
import { Acts } from './acts.ts';
import { Facts, Going } from './facts.ts';
import { History } from './history.ts';
import { KeyTable, Line } from './keys.ts';
import { stateOf } from './say.ts';

const EVERY_MS = 2_000;
const MOST_STEPS = 200;

async function read(api: Api, name: string) {
  const account = await api.get<Account>(pathOf('accounts', name));
  if (isProblem(account) || !account.rotates) return isProblem(account) ? account : { account, steps: [] };
  const steps = await api.get<Page<Step>>(pathOf('accounts', name, 'history'), { limit: MOST_STEPS });
  return isProblem(steps) ? steps : { account, steps: steps.items };
}

export function Detail({
  api,
  route,
  filter,
  now: clock,
  mayAct,
  name,
}: ViewProps & { readonly name: string }): VNode {
  const { answer, problem, again } = useAnswer(() => read(api, name), [name], EVERY_MS);
  const { params } = route;
  if (answer === undefined)
    return problem ? html`<${Failed} problem=${problem} again=${again} />` : html`<${Loading} />`;
  const { account, steps } = answer;
  // The clock of the page is an estimate: what was done is not ahead of it.
  const now = Math.max(clock, ...[account.asOf, steps[0]?.at].map((at) => Date.parse(at ?? '') || 0));
  return html`<section aria-labelledby="account-name" class="account">
    <div class="row head">
      <h2 id="account-name">${name}</h2>
      <${Tag} ...${stateOf(account)} told />
      <span class="quiet">${account.kind}, ${account.tokenKinds.join(' and ')} tokens</span>
    </div>
    ${problem && html`<${Failed} problem=${problem} again=${again} />`}
    ${
      mayAct &&
      account.rotates &&
      html`<${Acts} api=${api} account=${account} begun=${(operation: string) => {
        filter({ ...params, operation });
        again();
      }} />`
    }
    ${
      params['operation'] &&
      html`<${Followed} api=${api} id=${params['operation']} now=${now}
      close=${() => filter({ ...params, operation: undefined })} />`
    }
    <${Going} ...${{ account, now }} />
    ${account.slots && html`<${Line} ...${{ account, steps, now }} />`}
    ${account.rotates && html`<${Facts} ...${{ account, now }} />`}
    ${account.slots && html`<${KeyTable} ...${{ account, now }} />`}
    ${account.rotates && html`<h3>What was done</h3><${History} ...${{ steps, now }} />`}
  </section>`;
}

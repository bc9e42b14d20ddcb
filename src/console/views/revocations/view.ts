/** *Revocations*: what is refused and since when, each counted down to its end; the form that begins one; lift. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Find } from '../../parts/filters.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { Empty, Failed, Loading } from '../../parts/state.ts';
import { Tag } from '../../parts/tag.ts';
import { relative, span, Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import type { ViewProps } from '../../view.ts';
import type { Revocation } from '../../wire.ts';
import { countdownOf, isShown, stateOf } from './countdown.ts';
import { Form } from './form.ts';
import { One } from './one.ts';
import { capital, scopeWords } from './scope.ts';

const EVERY_MS = 3_000;
const MOST = 5_000;
const HIGH = 44;
const HEADS = ['What', 'State', 'Last token', 'In force', 'Reason'];

export function Revocations(props: ViewProps): VNode {
  const { api, route, filter, now, mayAct } = props;
  const { params } = route;
  const { answer, problem, again } = useAnswer(
    () => api.all<Revocation>('revocations', {}, MOST),
    [],
    EVERY_MS,
  );
  const open = answer?.items.find(({ key }) => key === params['key']);
  return html`${open && html`<${One} key=${open.key} entry=${open} ...${{ api, now, mayAct, again }} close=${() => filter({ ...params, key: undefined })} />`}
    ${
      mayAct
        ? html`<${Form} key=${`${params['kind']} ${params['value']}`} ...${props} filter=${(to: {
            key?: string;
          }) => {
            filter({ ...params, ...to });
            again();
          }} />`
        : html`<p class="quiet">To end an access you need the app role Broker.Operator.</p>`
    }
    ${problem && html`<${Failed} problem=${problem} again=${again} />`}
    ${answer ? html`<${List} items=${answer.items} ...${props} />` : !problem && html`<${Loading} />`}`;
}

function List({ items, route, filter, now }: ViewProps & { readonly items: readonly Revocation[] }): VNode {
  const { params } = route;
  if (items.length === 0)
    return html`<${Empty}>Nothing is revoked. What was ended long ago is in the record.<//>`;
  const found = items.filter((entry) => isShown(entry, params['q'] ?? ''));
  return html`<h2>What is revoked</h2>
    <div class="row"><${Find} label="Find by scope, state, reason or person" value=${params['q']} find=${(q: string) => filter({ ...params, q })} /></div>
    ${
      found.length === 0
        ? html`<${Empty}>None is so. Change what is looked for.<//>`
        : html`<${Rows} class="revoked" label="What is revoked" heads=${HEADS} count=${found.length} height=${HIGH}
        row=${(at: number) => found[at] && cells(found[at], params, now)} />`
    }`;
}

function cells(entry: Revocation, params: ViewProps['route']['params'], now: number): VNode {
  const { key, scope, blocked, reason, inForceAt } = entry;
  const { leftMs } = countdownOf(entry, undefined, now);
  return html`<${Td}><a href=${linkTo('revocations', { ...params, key })}>${capital(scopeWords(scope))}</a><//>
    <${Td}><${Tag} ...${stateOf(blocked)} /><//>
    <${Td}>${leftMs > 0 ? `in ${span(leftMs, 1)} at most` : '✓ dead'}<//>
    <${Td}>${inForceAt ? html`<${Time} at=${inForceAt} now=${now} /> <span class="quiet">${relative(Math.min(now, Date.parse(inForceAt)), now, 1)}</span>` : 'not yet'}<//>
    <${Td}>${reason}<//>`;
}

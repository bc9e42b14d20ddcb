/** *Explain*: why one exchange was decided as it was, or what a described caller would be answered. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Empty, Failed, Loading } from '../../parts/state.ts';
import { linkTo } from '../../route.ts';
import type { ViewProps } from '../../view.ts';
import type { Explanation } from '../../wire.ts';
import { Answer } from './answer.ts';
import { type Asked, askedOf } from './asked.ts';
import { ByCaller, ById } from './forms.ts';
import { isFull } from './sentences.ts';

export function Explain(props: ViewProps): VNode {
  const { params } = props.route;
  const asked = askedOf(params);
  const isCaller = params['by'] === 'caller' || params['client'] !== undefined;
  const tab = (to: 'id' | 'caller', words: string) =>
    html`<a href=${linkTo('explain', { by: to === 'caller' ? to : undefined })} aria-current=${isCaller === (to === 'caller') ? 'page' : undefined}>${words}</a>`;
  return html`<nav class="explain-tabs row" aria-label="What to explain">${tab('id', 'By correlation id')}${tab('caller', 'Describe a caller')}</nav>
    ${isCaller ? html`<${ByCaller} ...${props} />` : html`<${ById} ...${props} />`}
    ${typeof asked === 'string' && html`<${Failed} problem=${{ kind: 'problem', status: 400, detail: asked }} />`}
    ${asked === undefined && html`<${Empty}>An app that is refused gets a correlation id with its error. Put it in here, to see why and what would change it.<//>`}
    ${typeof asked === 'object' && html`<${Asking} ...${props} asked=${asked} />`}`;
}

function Asking({ api, now, asked }: ViewProps & { readonly asked: Asked }): VNode {
  const { answer, problem, again } = useAnswer(
    () => api.ask<Explanation>('explain', asked),
    [JSON.stringify(asked)],
  );
  if (problem) return html`<${Failed} problem=${problem} again=${again} />`;
  if (answer === undefined) return html`<${Loading} />`;
  return isFull(answer)
    ? html`<${Answer} explanation=${answer} now=${now} />`
    : html`<${Empty}>Only your own part of it may be read: the app role Broker.Auditor is needed.<//>`;
}

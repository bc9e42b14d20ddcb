/** One revocation, counted down from its receipt to the end of the last token; and lifted. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Api, isProblem } from '../../api.ts';
import { html } from '../../html.ts';
import { Act } from '../../parts/act.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Tag } from '../../parts/tag.ts';
import { span, Time } from '../../parts/time.ts';
import type { Lifted, Revocation } from '../../wire.ts';
import { countdownOf, stateOf } from './countdown.ts';
import { askOutstanding, OutTable } from './out.ts';
import { capital, scopeWords } from './scope.ts';

interface OneProps {
  readonly api: Api;
  readonly entry: Revocation;
  readonly now: number;
  readonly mayAct: boolean;
  readonly again: () => void;
  readonly close: () => void;
}
const NAMES = {
  received: 'Received',
  inForce: 'In force on every instance',
  over: 'Last token dead',
} as const;

export function One({ api, entry, now, mayAct, again, close }: OneProps): VNode {
  const { key, scope, blocked, reason, source, receivedAt, inForceAt, timeToEffectMs, cutOff } = entry;
  const inForceMs = inForceAt === undefined ? undefined : Date.parse(inForceAt);
  const { answer } = useAnswer(
    () => askOutstanding(api, scope, inForceMs ?? now, inForceMs),
    [key, receivedAt, inForceAt],
  );
  const title = useRef<HTMLHeadingElement>(null);
  // Whoever opened it is taken to it.
  useEffect(() => title.current?.focus(), []);
  const out = answer?.out;
  const knownMs = out?.isAll ? (out.lastMs ?? inForceMs) : undefined;
  const { stages, leftMs, part } = countdownOf(entry, knownMs, now);
  const isOver = part === 1;
  const words = capital(scopeWords(scope));
  const left = isOver
    ? 'Over: no token of it is accepted anywhere any more.'
    : inForceMs === undefined
      ? 'Not in force yet. It is tried again until it is.'
      : `${span(leftMs)} until the last token is dead`;
  return html`<section class="card revocation" aria-labelledby="one-title">
    <div class="row"><h2 id="one-title" tabindex="-1" ref=${title}>${words}</h2>
      <${Tag} ...${stateOf(blocked)} />
      <button type="button" onClick=${close}>Close</button></div>
    <ol class="stages">
      ${stages.map(
        ({ name, atMs, done }) => html`<li key=${name} class=${done ? 'done' : ''}>
          <strong><span aria-hidden="true">${done ? '✓' : '…'}</span> ${NAMES[name]}</strong>
          <span>${atMs !== undefined && html`<${Time} at=${atMs} now=${now} />`}
            ${name === 'inForce' && timeToEffectMs !== undefined && ` after ${timeToEffectMs} ms`}
            ${name === 'over' && !done && knownMs === undefined && atMs !== undefined && ' at the latest'}</span>
        </li>`,
      )}
    </ol>
    <progress max="1" value=${part} aria-label="From its receipt to the end of the last token"></progress>
    <p class="left" role="timer">${left}</p>
    <p class="visually-hidden" role="status">${isOver ? left : inForceMs && 'In force on every instance.'}</p>
    ${!isOver && out && out.count > 0 && html`<${OutTable} out=${out} now=${now} />`}
    <p>${blocked ? 'Every token of it is refused until somebody lifts it.' : html`Entra tokens from before <${Time} at=${cutOff} now=${now} /> are refused; newer ones are accepted.`}</p>
    <p class="quiet">By ${source}. Reason: ${reason}</p>
    ${blocked && mayAct && html`<${Lift} api=${api} scope=${scope} again=${again} />`}
  </section>`;
}

function Lift({ api, scope, again }: Pick<OneProps, 'api' | 'again'> & Pick<Revocation, 'scope'>): VNode {
  const [asks, setAsks] = useState(false);
  const words = scopeWords(scope);
  async function send(reason: string): Promise<object> {
    const lifted = await api.act<Lifted>('revocations/lift', { scope, reason });
    if (!isProblem(lifted)) again();
    return lifted;
  }
  return html`<p><button type="button" onClick=${() => setAsks(true)}>Lift the block…</button></p>
    ${
      asks &&
      html`<${Act} title=${`Lift the block of ${words}`} send=${send} close=${() => setAsks(false)}
      consequence=${['From then on it gets tokens again by the policy, with Entra tokens that are newer than the revocation.', 'Entra tokens from before it stay refused.']} />`
    }`;
}

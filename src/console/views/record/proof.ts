/** How far the record is proved: until when its minutes are closed, and how to have the proof checked. */
import type { VNode } from 'preact';
import type { Api } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Empty, Waiting } from '../../parts/state.ts';
import { Time } from '../../parts/time.ts';
import type { ProofPage } from '../../wire.ts';
import { instantOf, proved } from './proved.ts';

interface ProofProps {
  readonly api: Api;
  readonly from: string;
  readonly to: string;
  readonly now: number;
}
const EVERY_MS = 30_000;

export function Proof({ api, from, to, now }: ProofProps): VNode {
  const asked = useAnswer<ProofPage>(
    () => api.get('proof', { from, to, limit: 1_000 }),
    [from, to],
    EVERY_MS,
  );
  const { answer, problem } = asked;
  if (problem?.status === 404) return html`<${Empty}>This broker keeps no proof of its record yet.<//>`;
  if (!answer) return html`<${Waiting} ...${asked} />`;
  const { closedThrough, sequence, hash = '', removedBefore, next } = answer;
  if (closedThrough === undefined)
    return html`<${Empty}>No minute is closed yet. Each is closed some minutes after it ended.<//>`;
  const { minutes, rows, late } = proved(answer.items);
  return html`<section class="card">
    <p>Closed through <${Time} at=${instantOf(closedThrough)} now=${now} />: what was recorded until then cannot be changed
      without a trace. Entry ${sequence} of the chain has the hash <code>${hash.slice(0, 16)}</code>.</p>
    <p>Of this span ${minutes.toLocaleString()} minutes with ${rows.toLocaleString()} rows are closed${next && ', and more than are counted here'}.
      ${late > 0 && ` ${late.toLocaleString()} rows came late, after their minute was closed.`}
      ${removedBefore && html` Rows before <${Time} at=${instantOf(removedBefore)} /> may be gone: their time is over.`}</p>
    <p>To have it checked: <code>npx azure-ai-token-broker audit verify --from ${from} --to ${to}</code></p>
  </section>`;
}

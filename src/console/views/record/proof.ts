/** How far the record is proved: until when its minutes are closed, and how to have the proof checked. */
import type { VNode } from 'preact';
import type { Api } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Empty, Failed, Loading } from '../../parts/state.ts';

interface ProofProps {
  readonly api: Api;
  readonly from: string;
  readonly to: string;
}
export function Proof({ api, from, to }: ProofProps): VNode {
  const { answer, problem, again } = useAnswer<{ readonly items?: readonly unknown[] }>(
    () => api.get('proof', { from, to }),
    [from, to],
  );
  if (problem?.status === 404) return html`<${Empty}>This broker keeps no proof of its record yet.<//>`;
  if (problem) return html`<${Failed} problem=${problem} again=${again} />`;
  if (!answer) return html`<${Loading} />`;
  return html`<p>${answer.items?.length ?? 0} closed minutes.</p>`;
}

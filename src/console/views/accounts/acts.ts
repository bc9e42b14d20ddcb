/** What an operator can do with an account's keys. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { type Api, isProblem, pathOf } from '../../api.ts';
import { html } from '../../html.ts';
import { Act } from '../../parts/act.ts';
import { Choice } from '../../parts/filters.ts';
import type { Account } from '../../wire.ts';
import { SLOTS } from './phases.ts';
import { ACTS, type AccountAct, wordsOf } from './words.ts';

interface ActsProps {
  readonly api: Api;
  readonly account: Account;
  /** Told the operation of an act that was taken. */
  readonly begun: (operation: string) => void;
}
const LABELS = { rotate: 'Rotate…', emergency: 'Emergency…', pause: 'Pause…', resume: 'Resume…' } as const;

export function Acts({ api, account, begun }: ActsProps): VNode {
  const [act, setAct] = useState<AccountAct>();
  const [slot, setSlot] = useState('');
  const { name, paused } = account;
  const offered = ACTS.filter((each) => each !== (paused === undefined ? 'resume' : 'pause'));
  async function send(reason: string): Promise<object> {
    const path = pathOf('accounts', name, isRotation ? 'rotate' : String(act));
    const more = isRotation ? { ...(slot && { slot }), ...(act === 'emergency' && { emergency: true }) } : {};
    const answer = await api.act<{ operation: string }>(path, { ...more, reason });
    if (!isProblem(answer)) begun(answer.operation);
    return answer;
  }
  const isRotation = act === 'rotate' || act === 'emergency';
  return html`<div class="row">
    ${offered.map(
      (each) =>
        html`<button key=${each} type="button" class=${each === 'emergency' ? 'danger' : ''} onClick=${() => {
          setSlot('');
          setAct(each);
        }}>${LABELS[each]}</button>`,
    )}
    ${
      act &&
      html`<${Act} ...${wordsOf(act, account)} send=${send} close=${() => setAct(undefined)}>
      ${
        isRotation &&
        html`<${Choice} label="Which key" value=${slot} choose=${setSlot}
        options=${[['', act === 'emergency' ? 'Both keys' : 'As the policy says'], ...SLOTS.map((each) => [each, each])]} />`
      }
    <//>`
    }
  </div>`;
}

/** A draft is pasted, and the broker says what it would change. Nothing is put in force here. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { type Api, isProblem, type Problem } from '../../api.ts';
import { html } from '../../html.ts';
import { textIn } from '../../parts/filters.ts';
import { Failed, Loading } from '../../parts/state.ts';
import type { PolicyApplied, PolicyInForce, WhatIf } from '../../wire.ts';
import { readDraft } from './draft.ts';
import { listOf, type Outcome, Result } from './result.ts';

const WEEK_MS = 7 * 86_400_000;

interface DraftProps {
  readonly api: Api;
  readonly now: number;
  readonly inForce: PolicyInForce;
}
type State = { readonly fault: string } | 'asking' | Problem | Outcome | undefined;

export function Draft({ api, now, inForce }: DraftProps): VNode {
  const [text, setText] = useState('');
  const [state, setState] = useState<State>();
  async function tryOut(): Promise<void> {
    const read = readDraft(text);
    if ('fault' in read) return setState(read);
    setState('asking');
    const span = { from: new Date(now - WEEK_MS).toISOString(), to: new Date(now).toISOString() };
    const applied = await api.ask<PolicyApplied>(
      'policy?dryRun',
      { ...read, reason: 'a draft in the console' },
      inForce.version,
    );
    if (isProblem(applied)) return setState(applied);
    setState({ applied, whatIf: await api.ask<WhatIf>('what-if', { ...read, ...span }) });
  }
  const fill = () => setText(JSON.stringify(inForce.policy, null, 2));
  return html`<form onSubmit=${(event: Event) => {
    event.preventDefault();
    void tryOut();
  }}>
      <label class="field"><span>The whole policy, as JSON</span>
        <textarea rows="10" spellcheck=${false} value=${text} onInput=${(event: Event) => setText(textIn(event))}></textarea>
      </label>
      <p class="row">
        <button type="submit" class="primary" disabled=${state === 'asking'}>What would change?</button>
        <button type="button" onClick=${fill}>Start from what is in force</button>
        <span class="quiet">Nothing is changed: a publisher puts a policy in force (<code>policy apply</code>).</span>
      </p>
    </form>
    <div role="status">${shown(state)}</div>`;
}

function shown(state: State) {
  if (state === undefined) return undefined;
  if (state === 'asking') return html`<${Loading} />`;
  if ('fault' in state) return html`<p class="failed">${state.fault}</p>`;
  if ('applied' in state) return html`<${Result} ...${state} />`;
  return html`<${Failed} problem=${state} />${state.problems && listOf(state.problems)}`;
}

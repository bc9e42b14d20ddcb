/** An act of an operator: what it ends is said first, a reason is asked for, and only then it is sent. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isProblem, type Problem } from '../api.ts';
import { html } from '../html.ts';
import { Failed } from './state.ts';

interface ActProps {
  /** On the button too: what is done, and to what. */
  readonly title: string;
  /** What will be so, in whole sentences. */
  readonly consequence: readonly string[];
  /** Has to be agreed to by a tick beforehand, where something that works may stop. */
  readonly agree?: string | undefined;
  readonly children?: ComponentChildren;
  readonly send: (reason: string) => Promise<object>;
  readonly close: () => void;
}

/** The API's own limit. */
const MAX_REASON = 256;

/** The browser's own dialog keeps the focus inside, closes with Escape and gives the focus back to what opened it. */
export function Act({ title, consequence, agree, children, send, close }: ActProps): VNode {
  const box = useRef<HTMLDialogElement>(null);
  const [state, setState] = useState<{ busy: boolean; problem?: Problem }>({ busy: false });
  useEffect(() => {
    box.current?.showModal();
  }, []);
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const reason = new FormData(event.currentTarget as HTMLFormElement).get('reason');
    setState({ busy: true });
    const answer = await send(String(reason ?? ''));
    if (isProblem(answer)) setState({ busy: false, problem: answer });
    else box.current?.close();
  }
  return html`<dialog ref=${box} class="act" aria-labelledby="act-title" onClose=${close}>
    <form onSubmit=${submit}>
      <h2 id="act-title">${title}</h2>
      ${consequence.map((sentence) => html`<p key=${sentence}>${sentence}</p>`)}
      ${children}
      <p class="field">
        <label for="act-reason">Reason, which goes on record</label>
        <input id="act-reason" name="reason" required maxlength=${MAX_REASON} autocomplete="off" />
      </p>
      ${agree && html`<p><label><input type="checkbox" required /> ${agree}</label></p>`}
      ${state.problem && html`<${Failed} problem=${state.problem} />`}
      <p class="row">
        <button class=${agree ? 'danger' : 'primary'} disabled=${state.busy}>${state.busy ? 'Sending…' : title}</button>
        <button type="button" onClick=${() => box.current?.close()}>Cancel</button>
      </p>
    </form>
  </dialog>`;
}

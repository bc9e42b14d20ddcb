/** The filters of a view: each is in the address, so that what is shown can be linked to. */
import type { VNode } from 'preact';
import { html } from '../html.ts';

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  /** Values with what people read. */
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly choose: (value: string) => void;
}
export function Choice({ label, value, options, choose }: ChoiceProps): VNode {
  return html`<label class="field"
    ><span>${label}</span>
    <select value=${value} onChange=${(event: Event) => choose(textIn(event))}>
      ${options.map(([each, title]) => html`<option key=${each} value=${each} selected=${each === value}>${title}</option>`)}
    </select>
  </label>`;
}

interface FindProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly find: (text: string) => void;
  readonly type?: string;
  readonly hint?: string;
}
/** Filters while somebody types. */
export function Find({ label, value = '', find, type = 'search', hint }: FindProps): VNode {
  return html`<label class="field"
    ><span>${label}</span>
    <input type=${type} value=${value} placeholder=${hint} autocomplete="off" spellcheck=${false}
      onInput=${(event: Event) => find(textIn(event))} />
  </label>`;
}

/** What a select, an input or a textarea has in it. */
export const textIn = ({ currentTarget }: Event): string =>
  (currentTarget as HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement).value;

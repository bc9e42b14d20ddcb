/** The filters of a view: each is in the address, so that what is shown can be linked to. */
import type { ComponentChildren, VNode } from 'preact';
import { html } from '../html.ts';
import type { Params } from '../route.ts';
import type { ViewProps } from '../view.ts';

/** Puts one filter into the address and leaves the others, but for those in `also`. */
export const changing =
  ({ route, filter }: Pick<ViewProps, 'route' | 'filter'>, also: Partial<Params> = {}) =>
  (name: string) =>
  (value: string) =>
    filter({ ...route.params, ...also, [name]: value || undefined });

/** Filters act at once, so that sending their form has nothing to do but `again`. */
export function Filters({ children, again }: { children?: ComponentChildren; again?: () => void }): VNode {
  const onSubmit = (event: Event) => {
    event.preventDefault();
    again?.();
  };
  return html`<form class="row filters" onSubmit=${onSubmit}>${children}</form>`;
}

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
  /** The broker is asked for it, so that it waits until the text is whole: Enter, or another field. */
  readonly whole?: boolean;
}
/** Filters while somebody types. */
export function Find({ label, value = '', find, type = 'search', hint, whole = false }: FindProps): VNode {
  const told = { [whole ? 'onChange' : 'onInput']: (event: Event) => find(textIn(event)) };
  return html`<label class="field"
    ><span>${label}</span>
    <input type=${type} value=${value} placeholder=${hint} autocomplete="off" spellcheck=${false} ...${told} />
  </label>`;
}

/** What a select, an input or a textarea has in it. */
export const textIn = ({ currentTarget }: Event): string =>
  (currentTarget as HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement).value;

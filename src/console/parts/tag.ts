/** A state in a word, with a sign beside its colour. */
import type { VNode } from 'preact';
import { html } from '../html.ts';
import type { Said } from './said.ts';

/** @param told whether a change of it is told to people who do not see it */
export const Tag = ({ tone, sign, words, told }: Said & { readonly told?: boolean }): VNode =>
  html`<span class=${`tag ${tone}`} role=${told && 'status'}><span aria-hidden="true">${sign}</span> ${words}</span>`;

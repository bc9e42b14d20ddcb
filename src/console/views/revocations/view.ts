import type { VNode } from 'preact';
import { html } from '../../html.ts';
import type { ViewProps } from '../../view.ts';

export function Revocations(_: ViewProps): VNode {
  return html`<p>revocations</p>`;
}

import type { VNode } from 'preact';
import { html } from '../../html.ts';
import type { ViewProps } from '../../view.ts';

export function Policy(_: ViewProps): VNode {
  return html`<p>policy</p>`;
}

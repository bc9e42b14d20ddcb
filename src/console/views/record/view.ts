import type { VNode } from 'preact';
import { html } from '../../html.ts';
import type { ViewProps } from '../../view.ts';

export function Record(_: ViewProps): VNode {
  return html`<p>record</p>`;
}

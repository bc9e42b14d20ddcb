/** A table with few rows; long ones are `Rows`. It scrolls by itself, by keys too, where it is wider than the page. */
import type { ComponentChildren, VNode } from 'preact';
import { html } from '../html.ts';

interface TableProps {
  readonly label: string;
  readonly heads: readonly string[];
  readonly class?: string;
  /** Its rows. */
  readonly children?: ComponentChildren;
}

export const Table = ({ label, heads, class: name = '', children }: TableProps): VNode =>
  html`<div class=${`scroll ${name}`} tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead><tr>${heads.map((head) => html`<th scope="col" key=${head}>${head}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>`;

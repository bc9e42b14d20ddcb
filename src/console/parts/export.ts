/** Saves what is shown as a file. The file is made when it is asked for. */
import type { VNode } from 'preact';
import { html } from '../html.ts';
import { type Cell, csvOf } from './csv.ts';

interface ExportProps {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly heads: readonly string[];
  readonly rows: () => readonly (readonly Cell[])[];
}

export function Export({ name, heads, rows }: ExportProps): VNode {
  const save = () => {
    // The mark at the beginning tells spreadsheets that the text is UTF-8.
    const file = new Blob(['\uFEFF', csvOf(heads, rows())], { type: 'text/csv' });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${name}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  return html`<button type="button" onClick=${save}>Save as CSV</button>`;
}

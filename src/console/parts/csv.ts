/** What is shown, as a file for a spreadsheet (RFC 4180). Pure. */

export type Cell = string | number | undefined;

/**
 * A spreadsheet takes a text with such a beginning for a formula, and runs it. Reasons, names of resources and bodies
 * of events come from outside, so such a text gets an apostrophe in front. The full-width forms are read as formulas
 * where East Asian input is on.
 */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;
const QUOTED = /[",\r\n]/;

export function csvOf(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [heads, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(cell: Cell): string {
  if (typeof cell !== 'string') return cell === undefined ? '' : String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

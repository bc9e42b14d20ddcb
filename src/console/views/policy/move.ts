/** Where a key leads to in a table of cells. Pure. */

export interface Place {
  readonly row: number;
  readonly column: number;
}
interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
}

/** @returns undefined: the key leads nowhere */
export function moved(
  { row, column }: Place,
  { key, ctrlKey }: Key,
  size: { readonly rows: number; readonly columns: number },
  page: number,
): Place | undefined {
  const [lastRow, lastColumn] = [size.rows - 1, size.columns - 1];
  const to: Readonly<Record<string, Place>> = {
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    PageUp: { row: row - page, column },
    PageDown: { row: row + page, column },
    Home: { row: ctrlKey ? 0 : row, column: 0 },
    End: { row: ctrlKey ? lastRow : row, column: lastColumn },
  };
  const wanted = Object.hasOwn(to, key) ? to[key] : undefined;
  if (wanted === undefined) return undefined;
  const within = (place: number, last: number): number => Math.max(0, Math.min(last, place));
  return { row: within(wanted.row, lastRow), column: within(wanted.column, lastColumn) };
}

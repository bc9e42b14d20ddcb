/** A table that fits the terminal. In a pipe nobody looks, so nothing is cut. */
import { clean, cut, hanging } from './text.ts';

export interface Cell {
  readonly text: string;
  readonly style?: (text: string) => string;
}
export interface Column {
  readonly head: string;
  /** The highest is left out first. Default 0: it always stays. */
  readonly giveWay?: number;
  /** May be cut to this many characters before a column is left out. Default: it is never cut. */
  readonly atLeast?: number;
}

const GAP = 2;

/** @param width undefined: as wide as it needs */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string | undefined)[])[],
  width: number | undefined,
  headStyle: (text: string) => string = (text) => text,
): string {
  const cells = rows.map((row) => columns.map((_, at) => cellOf(row[at])));
  const wanted = columns.map(({ head }, at) =>
    Math.max(head.length, ...cells.map((row) => row[at]?.text.length ?? 0)),
  );
  const widths = fit(columns, wanted, width);
  const line = (each: (at: number) => Cell) =>
    widths
      .flatMap((wide, at) => {
        if (wide === 0) return [];
        const { text, style = (same: string) => same } = each(at);
        const shown = cut(text, wide);
        return [style(shown) + ' '.repeat(wide - shown.length)];
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const head = line((at) => ({ text: columns[at]?.head ?? '', style: headStyle }));
  return `${[head, ...cells.map((row) => line((at) => row[at] ?? { text: '' }))].join('\n')}\n`;
}

function cellOf(cell: Cell | string | undefined): Cell {
  const { text, style } = typeof cell === 'object' ? cell : { text: cell ?? '', style: undefined };
  return { text: clean(text), ...(style && { style }) };
}

/** @returns the width of each column; 0 for one that is left out */
function fit(columns: readonly Column[], wanted: readonly number[], width: number | undefined): number[] {
  const shown = new Set(columns.keys());
  const least = (at: number): number =>
    Math.min(wanted[at] ?? 0, columns[at]?.atLeast ?? Number.POSITIVE_INFINITY);
  const gaps = (): number => GAP * Math.max(0, shown.size - 1);
  const sum = (of: (at: number) => number): number => [...shown].reduce((all, at) => all + of(at), gaps());
  if (width === undefined) return [...wanted];
  const order = [...columns.keys()]
    .filter((at) => (columns[at]?.giveWay ?? 0) > 0)
    .sort((a, b) => (columns[b]?.giveWay ?? 0) - (columns[a]?.giveWay ?? 0));
  for (const at of order) if (sum(least) > width) shown.delete(at);
  // What is left of the width goes to the columns that were cut, from the left.
  let spare = width - sum(least);
  return wanted.map((want, at) => {
    if (!shown.has(at)) return 0;
    const more = Math.max(0, Math.min(spare, want - least(at)));
    spare -= more;
    return least(at) + more;
  });
}

/** Names and what they are, each in lines of its own. @param width undefined: as wide as it needs */
export function facts(
  pairs: readonly (readonly [name: string, value: Cell | string | undefined])[],
  nameStyle: (text: string) => string = (text) => text,
  width?: number,
): string {
  const shown = pairs.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, cellOf(value)] as const],
  );
  const wide = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(
      ([name, { text, style = (same: string) => same }]) =>
        `${nameStyle(name.padEnd(wide))}  ${style(hanging(text, wide + 2, width))}\n`,
    )
    .join('');
}

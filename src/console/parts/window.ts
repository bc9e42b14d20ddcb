/** Which rows of a long list have to be in the page, given what is seen of it. Pure. */

export interface Seen {
  /** How far it is scrolled, in pixels. */
  readonly scrolled: number;
  /** How much of it is seen, in pixels. */
  readonly extent: number;
}

/** Rows outside of what is seen, so that a key press or a turn of the wheel finds the next ones there. */
const BEYOND = 6;

/** @param kept rows that stay wherever the list is scrolled to, such as the one with the focus */
export function windowOf(
  count: number,
  size: number,
  { scrolled, extent }: Seen,
  kept: readonly number[] = [],
): readonly number[] {
  const first = Math.max(0, Math.floor(scrolled / size) - BEYOND);
  const end = Math.min(count, Math.ceil((scrolled + extent) / size) + BEYOND);
  const rows = new Set(kept.filter((row) => row >= 0 && row < count));
  for (let row = first; row < end; row += 1) rows.add(row);
  return [...rows].sort((one, other) => one - other);
}

/** @returns how far to scroll so that the row is seen whole */
export function scrollTo(row: number, size: number, { scrolled, extent }: Seen): number {
  const [start, end] = [row * size, (row + 1) * size];
  if (start < scrolled) return start;
  return end > scrolled + extent ? end - extent : scrolled;
}

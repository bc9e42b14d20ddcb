/**
 * What a roll-up holds: how often each kind of exchange happened, and when last. Its text is bounded, because a row of
 * a table is a mebibyte at most and a month of rows must be read in few calls. What has no room any more is counted
 * under the reason `others`, for each outcome.
 */
import * as z from 'zod';
import { UpstreamFailure } from '../upstream.ts';

export interface Cell {
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly grant: string;
  readonly kind: string;
  readonly outcome: string;
  readonly reason: string;
  readonly count: number;
  readonly lastAtMs: number;
}
const NAMES = ['tenantId', 'clientId', 'objectId', 'grant', 'kind', 'outcome', 'reason'] as const;
type Name = (typeof NAMES)[number];
const NOBODY: Readonly<Record<Name, string>> = {
  tenantId: '',
  clientId: '',
  objectId: '',
  grant: '',
  kind: '',
  outcome: '',
  reason: 'others',
};

/** A character takes two bytes in a row. */
const MAX_CHARACTERS = 400_000;
/** Of a cell beside its names: seven numbers of names, a count and an instant, with commas and brackets. */
const MOST_OF_A_CELL = 72;

/** Names are written once, and cells have their numbers. */
const shape = z.strictObject({
  names: z.array(z.string()),
  cells: z.array(z.array(z.int().min(0)).length(NAMES.length + 2)),
});

export class Cells {
  readonly #cells = new Map<string, Cell>();
  readonly #names = new Map<string, number>();
  readonly #most: number;
  #characters = 0;

  constructor(most = MAX_CHARACTERS) {
    this.#most = most;
  }

  /** @throws UpstreamFailure where the text is not one that this program wrote */
  static read(text: string, most = MAX_CHARACTERS): Cells {
    const read = new Cells(most);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    const { data } = shape.safeParse(value);
    if (data === undefined) throw new UpstreamFailure('tables', 'a roll-up cannot be read');
    for (const numbers of data.cells) {
      const name = (index: number) => data.names[numbers[index] ?? 0] ?? '';
      const names = Object.fromEntries(NAMES.map((key, index) => [key, name(index)])) as Record<Name, string>;
      read.#put({ ...names, count: numbers[NAMES.length] ?? 0, lastAtMs: numbers[NAMES.length + 1] ?? 0 });
    }
    return read;
  }

  add(cell: Cell): void {
    const known = this.#cells.get(keyOf(cell));
    if (known === undefined && !this.#hasRoomFor(cell) && cell.reason !== NOBODY.reason) {
      this.add({ ...cell, ...NOBODY, outcome: cell.outcome });
      return;
    }
    const { count = 0, lastAtMs = 0 } = known ?? {};
    this.#put({ ...cell, count: count + cell.count, lastAtMs: Math.max(lastAtMs, cell.lastAtMs) });
  }

  values(): Iterable<Cell> {
    return this.#cells.values();
  }

  text(): string {
    const cells = [...this.values()].map((cell) => [
      ...NAMES.map((name) => this.#names.get(cell[name]) ?? 0),
      cell.count,
      cell.lastAtMs,
    ]);
    return JSON.stringify({ names: [...this.#names.keys()], cells });
  }

  #hasRoomFor(cell: Cell): boolean {
    return this.#characters + this.#costOf(cell) <= this.#most;
  }
  #costOf(cell: Cell): number {
    const fresh = new Set(NAMES.map((name) => cell[name]).filter((name) => !this.#names.has(name)));
    return [...fresh].reduce((sum, name) => sum + JSON.stringify(name).length + 1, MOST_OF_A_CELL);
  }
  #put(cell: Cell): void {
    const key = keyOf(cell);
    if (!this.#cells.has(key)) this.#characters += this.#costOf(cell);
    for (const name of NAMES) if (!this.#names.has(cell[name])) this.#names.set(cell[name], this.#names.size);
    this.#cells.set(key, cell);
  }
}

const keyOf = (cell: Cell): string => NAMES.map((name) => cell[name]).join('\n');

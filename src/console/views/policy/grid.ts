/**
 * Callers down, resources across. Only the cells that are seen are in the page. Arrow keys go from cell to cell,
 * Home and End to the ends of a row, with Ctrl to those of the table; Enter opens what is behind a cell.
 */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '../../html.ts';
import { type Sight, sightOf, useSight } from '../../parts/rows.ts';
import { scrollTo, windowOf } from '../../parts/window.ts';
import { InCell } from './in-cell.ts';
import type { Matrix } from './matrix.ts';
import { moved } from './move.ts';
import type { LastUses } from './uses.ts';

export interface Shown {
  readonly matrix: Matrix;
  /** Which of the matrix's rows and columns. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** Absent: not known yet. */
  readonly uses: LastUses | undefined;
  readonly now: number;
}
/** Pixels; the styles have them too. */
const ROW = 56;
const COLUMN = 150;
const HEAD = 40;

export function Grid({
  matrix,
  rows,
  columns,
  uses,
  now,
  open,
}: Shown & { open: (subject: string, resource: string) => void }): VNode {
  const { sight, box, look } = useSight();
  const [at, setAt] = useState({ row: 0, column: 0 });
  const row = Math.min(at.row, rows.length - 1);
  const column = Math.min(at.column, columns.length - 1);
  const moves = useRef(false);
  const { down, across } = clear(sight, box.current);
  useLayoutEffect(() => {
    const now = box.current;
    if (!moves.current || now === null) return;
    moves.current = false;
    const exact = clear(sightOf(now), now);
    now.scrollTo(scrollTo(column, COLUMN, exact.across), scrollTo(row, ROW, exact.down));
    now.querySelector<HTMLElement>('[tabindex="0"][role=gridcell]')?.focus({ preventScroll: true });
  }, [row, column]);
  const onKeyDown = (event: KeyboardEvent) => {
    const to = moved(
      { row, column },
      event,
      { rows: rows.length, columns: columns.length },
      Math.floor(down.extent / ROW),
    );
    if (to === undefined) return;
    event.preventDefault();
    moves.current = true;
    setAt(to);
  };
  const shownColumns = windowOf(columns.length, COLUMN, across, [column]);
  return html`<div class="matrix scroll" ref=${box} onScroll=${look} onKeyDown=${onKeyDown}
    role="grid" aria-label="Callers and resources" aria-readonly="true" aria-rowcount=${rows.length + 1} aria-colcount=${columns.length + 1}
    style=${{ '--all': `${rows.length * ROW}px`, '--wide': `${columns.length * COLUMN}px` }}>
    <div class="heads" role="row" aria-rowindex="1">
      <span class="first" role="columnheader" aria-colindex="1">Callers</span>
      ${shownColumns.map((place) => html`<span key=${place} class="cell" role="columnheader" aria-colindex=${place + 2} style=${{ '--x': `${place * COLUMN}px` }}>${matrix.resources[columns[place] ?? 0]}</span>`)}
    </div>
    <div class="all" role="rowgroup">
      ${windowOf(rows.length, ROW, down, [row]).map((place) => {
        const subject = matrix.subjects[rows[place] ?? 0];
        return (
          subject &&
          html`<div key=${subject.key} role="row" class="row-at" aria-rowindex=${place + 2} style=${{ '--y': `${place * ROW}px` }}>
          <span class="first" role="rowheader" aria-colindex="1" title=${subject.key}>${subject.conditions.map(([name, value], index) => html`<span key=${index}><small>${name}</small> ${value}</span>`)}</span>
          ${shownColumns.map((across) => {
            const index = columns[across] ?? 0;
            const name = matrix.resources[index] ?? '';
            const given = matrix.cell(rows[place] ?? 0, index);
            const isCurrent = place === row && across === column;
            const choose = () => {
              setAt({ row: place, column: across });
              if (given.length > 0) open(subject.key, name);
            };
            return html`<span key=${across} class=${`cell ${given.length > 0 ? 'given' : ''}`} role="gridcell" aria-colindex=${across + 2} tabindex=${isCurrent ? 0 : -1}
              style=${{ '--x': `${across * COLUMN}px` }} onClick=${choose} onKeyDown=${(event: KeyboardEvent) => event.key === 'Enter' && choose()}>
              <${InCell} ...${{ subject, given, uses, now }} resource=${name} />
            </span>`;
          })}
        </div>`
        );
      })}
    </div>
  </div>`;
}

/** What is seen beside the first column and under the heads, which cover it. */
function clear({ down, across }: Sight, box: HTMLElement | null): Sight {
  const first = box?.querySelector<HTMLElement>('.first')?.offsetWidth ?? 0;
  return {
    down: { ...down, extent: down.extent - HEAD },
    across: { ...across, extent: across.extent - first },
  };
}

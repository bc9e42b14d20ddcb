/**
 * A long list or table of which only what is seen is in the page: a thousand accounts and ten thousand callers scroll as
 * a short one does. Its rows have one height. Scrolled by the browser's own keys when it has the focus; what is in a row
 * is reached with Tab, and a row with the focus stays. Screen readers are told how long it is and where each row stands.
 */
import type { ComponentChildren, VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '../html.ts';
import { type Seen, windowOf } from './window.ts';

/** What is seen of an element that scrolls. */
export interface Sight {
  readonly down: Seen;
  readonly across: Seen;
}
export const sightOf = (box: HTMLElement, step = 1): Sight => ({
  down: { scrolled: Math.floor(box.scrollTop / step) * step, extent: box.clientHeight },
  across: { scrolled: Math.floor(box.scrollLeft / step) * step, extent: box.clientWidth },
});
/** Pixels. A list is not drawn anew for less, since it has some rows more than are seen. */
const STEP = 64;

/** Keeps up with what is seen of the element that gets `box`. */
export function useSight() {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState<Sight>({
    down: { scrolled: 0, extent: 600 },
    across: { scrolled: 0, extent: 800 },
  });
  const look = () => {
    if (box.current === null) return;
    const now = sightOf(box.current, STEP);
    setSight((before) => (JSON.stringify(before) === JSON.stringify(now) ? before : now));
  };
  useLayoutEffect(() => {
    look();
    const sizes = new ResizeObserver(look);
    if (box.current !== null) sizes.observe(box.current);
    return () => sizes.disconnect();
  }, []);
  return { sight, box, look };
}

interface ListProps {
  /** What the list is, for people who hear it. */
  readonly label: string;
  readonly count: number;
  /** Pixels of each row. */
  readonly height: number;
  readonly row: (index: number) => ComponentChildren;
  readonly class?: string;
  /** A table has heads, and `row` answers its cells (`Td`). Without them it is a list. */
  readonly heads?: readonly string[];
}

export function Rows({ label, count, height, row, heads, class: name = '' }: ListProps): VNode {
  const { sight, box, look } = useSight();
  const [focused, setFocused] = useState(-1);
  const shown = windowOf(count, height, sight.down, [focused]);
  const isTable = heads !== undefined;
  return html`<div class=${`rows scroll ${name}`} tabindex="0" role="region" aria-label=${label}
    ref=${box} onScroll=${look} onFocusOut=${() => setFocused(-1)}>
    <div role=${isTable ? 'table' : 'list'} aria-label=${label} aria-rowcount=${isTable ? count + 1 : undefined}>
      ${
        isTable &&
        html`<div role="row" class="heads" aria-rowindex="1">
        ${heads.map((head) => html`<span role="columnheader" key=${head}>${head}</span>`)}
      </div>`
      }
      <div role=${isTable ? 'rowgroup' : 'presentation'} class="all" style=${{ '--all': `${count * height}px` }}>
        ${shown.map(
          (
            index,
          ) => html`<div key=${index} class="row-at" style=${{ '--at': `${index * height}px`, '--high': `${height}px` }}
            onFocusIn=${() => setFocused(index)}
            ...${isTable ? { role: 'row', 'aria-rowindex': index + 2 } : { role: 'listitem', 'aria-posinset': index + 1, 'aria-setsize': count }}>
            ${row(index)}
          </div>`,
        )}
      </div>
    </div>
  </div>`;
}

export const Td = ({ children, class: name }: { children?: ComponentChildren; class?: string }): VNode =>
  html`<span role="cell" class=${name}>${children}</span>`;

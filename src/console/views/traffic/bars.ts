/** One row of columns over time. Each is a link to the records behind it; arrow keys go from one to the next. */
import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { html } from '../../html.ts';

export interface Bar {
  readonly key: number;
  readonly count: number;
  /** When, for people. */
  readonly when: string;
  readonly href: string;
}
interface BarsProps {
  /** What is counted: `granted`. */
  readonly what: string;
  readonly bars: readonly Bar[];
}

export function Bars({ what, bars }: BarsProps): VNode {
  const [current, setCurrent] = useState(bars.length - 1);
  const box = useRef<HTMLDivElement>(null);
  const top = Math.max(1, ...bars.map(({ count }) => count));
  const sum = bars.reduce((all, { count }) => all + count, 0);
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const place = Math.min(bars.length - 1, Math.max(0, to));
    setCurrent(place);
    box.current?.querySelectorAll('a')[place]?.focus();
  };
  return html`<figure class=${`bars ${what}`}>
    <figcaption><strong>${sum.toLocaleString()}</strong> ${what}</figcaption>
    <span class="top" aria-hidden="true">${top.toLocaleString()}</span>
    <div class="plot" ref=${box} onKeyDown=${onKeyDown} role="group"
      aria-label=${`${what} over time: arrow keys go from one column to the next, Enter opens the records`}>
      ${bars.map(
        (
          { key, count, when, href },
          place,
        ) => html`<a key=${key} href=${href} tabindex=${place === Math.min(current, bars.length - 1) ? 0 : -1}
          aria-label=${`${when}: ${count.toLocaleString()} ${what}`} title=${`${when}\n${count.toLocaleString()} ${what}`}
          onFocus=${() => setCurrent(place)}
          ><span class=${count > 0 ? 'some' : ''} style=${{ '--share': String(count / top) }}></span
        ></a>`,
      )}
    </div>
  </figure>`;
}

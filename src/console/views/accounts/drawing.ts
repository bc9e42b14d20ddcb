/** The time line of an account as a drawing. What it shows is also in words: its label, the table of slots, the steps. */
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { html } from '../../html.ts';
import type { Mark } from './marks.ts';
import { isIn, percent, type Span, ticks } from './scale.ts';
import type { Lane } from './timeline.ts';

export const SHAPES: { readonly [kind in Mark['kind']]: { readonly d: string; readonly words: string } } = {
  born: { d: 'M0-5a5 5 0 1 0 .01 0z', words: 'a new key, and the end of the old one' },
  proof: { d: 'M-5-1l4 4 6-7', words: 'a key was tried' },
  drift: { d: 'M0-6L6 5H-6z', words: 'drift, and its repair' },
  emergency: { d: 'M0-7L7 0 0 7-7 0z', words: 'emergency' },
  problem: { d: 'M-4-4L4 4M4-4L-4 4', words: 'a problem' },
};
const WORDS: Readonly<Record<string, string>> = { active: 'in use', unknown: '' };

interface DrawingProps {
  readonly lanes: readonly Lane[];
  readonly span: Span;
  readonly now: number;
  /** In words, for people who do not see it. In a list the words around it say all. */
  readonly label?: string;
  readonly dueMs?: number | undefined;
  /** In a list: bars alone. */
  readonly small?: boolean;
}

export function Drawing({ lanes, span, now, label, dueMs, small = false }: DrawingProps): VNode {
  const id = useId();
  const high = small ? 10 : 26;
  const top = (lane: number): number => (small ? lane * 14 + 2 : lane * 44 + 18);
  const at = (ms: number): string => `${percent(span, ms)}%`;
  const part = (fromMs: number, toMs: number): number =>
    Math.max(0, percent(span, toMs) - percent(span, fromMs));
  const bottom = top(lanes.length) - (small ? 2 : 8);
  const line = (kind: string, ms: number | undefined, side: 'start' | 'end') =>
    ms !== undefined &&
    isIn(span, ms) &&
    html`<line class=${kind} x1=${at(ms)} x2=${at(ms)} y1=${small ? 0 : 12} y2=${bottom} />
      ${!small && html`<text class=${kind} x=${at(ms)} y="9" text-anchor=${side}>${kind}</text>`}`;
  const isDue = dueMs !== undefined && dueMs < now;
  return html`<svg class=${small ? 'timeline small' : 'timeline'} ...${small ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label }} width="100%" height=${bottom + (small ? 0 : 24)}>
    <defs>
      <pattern id=${id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path class="hatch" d="M0 0v6" />
      </pattern>
    </defs>
    ${!small && ticksOf(span, bottom)}
    ${lanes.map(({ slot, bars, marks, livesUntilMs }, lane) => {
      const y = top(lane);
      const box = (kind: string, fromMs: number, toMs: number, words: string) =>
        toMs >= span.fromMs &&
        fromMs <= span.toMs &&
        html`<svg key=${`${kind} ${fromMs}`} x=${at(fromMs)} y=${y} width=${`${part(fromMs, toMs)}%`} height=${high} class=${`bar ${kind}`}>
          <rect width="100%" height="100%" rx="3" />
          ${(kind === 'draining' || kind === 'lives') && html`<rect width="100%" height="100%" rx="3" fill=${`url(#${id})`} class="over" />`}
          ${!small && part(fromMs, toMs) > words.length && html`<text x="8" y="17" class=${part(fromMs, toMs) < 3 * words.length && 'tight'}>${words}</text>`}
        </svg>`;
      const first = bars.findIndex(({ role }) => role !== 'unknown');
      return html`<g key=${slot}>
        ${bars.map(({ role, fromMs, toMs }, index) => box(role, fromMs, toMs, `${index === first ? `${slot} ` : ''}${WORDS[role] ?? role}`))}
        ${livesUntilMs && box('lives', now, livesUntilMs, 'its tokens live')}
        ${
          !small &&
          marks
            .filter(({ atMs }) => isIn(span, atMs))
            .map(
              ({
                kind,
                atMs,
                text,
              }) => html`<svg key=${`${kind} ${atMs}`} x=${at(atMs)} y=${kind === 'born' || kind === 'proof' ? y : y + high} overflow="visible" class=${`mark ${kind}`}>
            <path d=${SHAPES[kind].d}><title>${text}</title></path>
          </svg>`,
            )
        }
      </g>`;
    })}
    ${line('due', dueMs, isDue ? 'end' : 'start')} ${line('now', now, isDue ? 'start' : 'end')}
  </svg>`;
}

const MOST_TICKS = 5;
const DAY = 86_400_000;
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

function ticksOf(span: Span, y: number): readonly VNode[] {
  const found = ticks(span, MOST_TICKS, -new Date(span.fromMs).getTimezoneOffset() * 60_000);
  const isShort = span.toMs - span.fromMs < 2 * DAY;
  return found.map((ms) => {
    const x = `${percent(span, ms)}%`;
    return html`<g key=${ms} class="tick">
      <line x1=${x} x2=${x} y1="14" y2=${y + 4} />
      <text x=${x} y=${y + 18} text-anchor="middle">${(isShort ? hour : date).format(ms)}</text>
    </g>`;
  });
}

/** Instants in the reader's own zone and words, with UTC for whoever points at them or reads on. */
import type { VNode } from 'preact';
import { html } from '../html.ts';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** @param at RFC 3339 or milliseconds */
export function Time({ at, now }: { at: string | number; now?: number }): VNode {
  const date = new Date(at);
  // An event that came without its time, for example.
  if (Number.isNaN(date.getTime())) return html`<span class="quiet">unknown</span>`;
  const isToday = now !== undefined && new Date(now).toDateString() === date.toDateString();
  const utc = date.toISOString();
  return html`<time datetime=${utc} title=${`${utc.slice(0, 19).replace('T', ' ')} UTC`}
    >${(isToday ? clock : day).format(date)}</time
  >`;
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `3 minutes 20 seconds`: the two largest units, or fewer. */
export function span(ms: number, most = 2): string {
  let rest = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 && parts.length < most) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
    else if (parts.length > 0) break;
  }
  return parts.join(' ') || '0 seconds';
}

/** `in 3 minutes`, `2 hours ago`. */
export const relative = (atMs: number, now: number, most = 2): string =>
  atMs >= now ? `in ${span(atMs - now, most)}` : `${span(now - atMs, most)} ago`;

/** What a cell says: kinds of token, how long they live at most, and when somebody had one. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { relative } from '../../parts/time.ts';
import type { Given, Subject } from './matrix.ts';
import type { LastUse } from './uses.ts';

interface InCellProps {
  readonly subject: Subject;
  readonly given: readonly Given[];
  readonly resource: string;
  readonly lastUse: LastUse | undefined;
  readonly now: number;
}

export function InCell({ subject, given, resource, lastUse, now }: InCellProps): VNode {
  if (given.length === 0) return html`<span class="visually-hidden">nothing</span>`;
  const uses = given.map((one) => lastUse?.(subject, one, resource) ?? '');
  const last = uses.sort().at(-1);
  return html`${given.map(({ grant, kinds, maxLifetime, isShadow, tried }) => {
    const trial = (isShadow || tried) && html` <span class="tag warn">on trial</span>`;
    return html`<span key=${grant} class=${isShadow ? 'trial' : ''}>${kinds.join(', ') || 'no kind'} ≤ ${maxLifetime}${trial}</span>`;
  })}
    <small class="quiet">${lastUse && (last ? relative(Date.parse(last), now, 1) : 'not used')}</small>`;
}

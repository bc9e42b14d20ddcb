/** What a cell says: kinds of token, how long they live at most, and when somebody had one. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { relative } from '../../parts/time.ts';
import type { Given, Subject } from './matrix.ts';
import type { LastUse, LastUses } from './uses.ts';

interface InCellProps {
  readonly subject: Subject;
  readonly given: readonly Given[];
  readonly resource: string;
  readonly uses: LastUses | undefined;
  readonly now: number;
}

export function InCell({ subject, given, resource, uses, now }: InCellProps): VNode {
  if (given.length === 0) return html`<span class="visually-hidden">nothing</span>`;
  const last = given
    .flatMap(({ grant }) => uses?.of(subject, grant, resource) ?? [])
    .reduce<LastUse | undefined>((latest, one) => (latest && latest.at > one.at ? latest : one), undefined);
  return html`${given.map(({ grant, kinds, maxLifetime, isShadow, tried }) => {
    const trial = (isShadow || tried) && html` <span class="tag warn">on trial</span>`;
    return html`<span key=${grant} class=${isShadow ? 'trial' : ''}>${kinds.join(', ') || 'no kind'} ≤ ${maxLifetime}${trial}</span>`;
  })}
    <small class="quiet">${uses && (last ? `${last.isOfGrant ? 'grant: ' : ''}${relative(Date.parse(last.at), now, 1)}` : 'not used')}</small>`;
}

/** The same exchanges, told apart by resource, caller, grant, kind or reason. A name leads to what is behind it. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Export } from '../../parts/export.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { Time } from '../../parts/time.ts';
import { linkTo, type Params } from '../../route.ts';
import type { Dimension, Share } from './series.ts';

interface SharesProps {
  readonly by: Dimension;
  readonly shares: readonly Share[];
  readonly params: Params;
  readonly now: number;
}

export function Shares({ by, shares, params, now }: SharesProps): VNode {
  const wanted = (params['find'] ?? '').trim().toLowerCase();
  const found = wanted === '' ? shares : shares.filter(({ value }) => value.toLowerCase().includes(wanted));
  const heads = [NAMES[by], 'Granted', 'Refused', 'Last'];
  const most = Math.max(1, ...shares.map(({ granted, refused }) => granted + refused));
  return html`<section aria-label=${`By ${by}`}>
    <p class="row"><span role="status">${found.length.toLocaleString()} of ${shares.length.toLocaleString()}</span>
      <${Export} name=${`traffic-by-${by}`} heads=${heads}
        rows=${() => found.map(({ value, granted, refused, lastAt }) => [value, granted, refused, lastAt])} />
    </p>
    <${Rows} label=${`Exchanges by ${by}`} class="shares" heads=${heads} height=${38} count=${found.length}
      row=${(index: number) => {
        const { value = '', granted = 0, refused = 0, lastAt = '' } = found[index] ?? {};
        return html`<${Td}>
            ${value === '' ? html`<span class="quiet">none known</span>` : html`<a href=${linkTo('traffic', { ...params, find: undefined, by: undefined, [by]: value })}>${value}</a>`}
          <//><${Td} class="number">${granted.toLocaleString()}<span class="share" style=${{ '--share': String(granted / most) }}></span><//>
          <${Td} class="number">${refused.toLocaleString()}<span class="share refused" style=${{ '--share': String(refused / most) }}></span><//>
          <${Td}><${Time} at=${lastAt} now=${now} /><//>`;
      }} />
  </section>`;
}
export const NAMES = {
  resource: 'Resource',
  caller: 'Caller',
  grant: 'Grant',
  kind: 'Kind of token',
  reason: 'Reason',
} as const;

/** The records, the oldest first. Each leads to its explanation. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Export } from '../../parts/export.ts';
import { Rows, Td } from '../../parts/rows.ts';
import { Empty } from '../../parts/state.ts';
import { Time } from '../../parts/time.ts';
import { linkTo, type Params } from '../../route.ts';
import type { ShownRecord } from './asked.ts';

const HEADS = ['When', 'Outcome', 'Who', 'What', 'Why', 'Correlation id'];
const TONES: Readonly<Record<string, string>> = {
  granted: 'good',
  done: 'good',
  refused: 'bad',
  failed: 'bad',
  withheld: 'warn',
};

interface RecordsProps {
  readonly records: readonly ShownRecord[];
  readonly params: Params;
  readonly now: number;
}
export function Records({ records, params, now }: RecordsProps): VNode {
  if (records.length === 0)
    return html`<${Empty}>Nothing is recorded for this. Take another day, or fewer filters.<//>`;
  return html`<p class="row"><span role="status">${records.length.toLocaleString()} records</span>
      <${Export} name="record" heads=${[...HEADS, 'Count']}
        rows=${() => records.map(({ at, outcome, who, what, why, correlationId, count }) => [at, outcome, who, what, why, correlationId, count])} />
    </p>
    <${Rows} label="Records, the oldest first" heads=${HEADS} height=${38} count=${records.length}
      row=${(index: number) => rowOf(records[index], params, now)} />`;
}

function rowOf(record: ShownRecord | undefined, params: Params, now: number) {
  if (record === undefined) return undefined;
  const { at, outcome, count, who, what, why, correlationId } = record;
  return html`<${Td}><${Time} at=${at} now=${now} /><//>
    <${Td}><span class=${`tag ${TONES[outcome] ?? ''}`}>${outcome}${count > 1 && ` × ${count.toLocaleString()}`}</span><//>
    <${Td}>${who === '' ? html`<span class="quiet">nobody verified</span>` : html`<a href=${linkTo('record', { ...params, caller: who })}><code>${who}</code></a>`}<//>
    <${Td}>${what}<//><${Td}>${why}<//>
    <${Td}><a href=${linkTo('explain', { correlation: correlationId })}><code>${correlationId}</code></a><//>`;
}

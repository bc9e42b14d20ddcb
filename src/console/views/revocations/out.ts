/** The tokens that are out and cannot be ended, as they are asked for and shown. */
import type { VNode } from 'preact';
import { type Api, isProblem, type Problem } from '../../api.ts';
import { html } from '../../html.ts';
import { Table } from '../../parts/table.ts';
import { relative, Time } from '../../parts/time.ts';
import type { AuditRecord, Revocation } from '../../wire.ts';
import { filterOf, LONGEST_MS, MOST, type Outstanding, outstanding } from './outstanding.ts';
import type { Scope } from './scope.ts';

/** Clocks differ, and a record is written when its exchange is over. */
const AFTER_MS = 60_000;

/** `out` is absent where the record does not tell. */
export interface Told {
  readonly out?: Outstanding | undefined;
}

export async function askOutstanding(
  api: Api,
  scope: Scope | Revocation['scope'],
  now: number,
  beforeMs?: number,
): Promise<Told | Problem> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const span = {
    from: iso((beforeMs ?? now) - LONGEST_MS),
    to: iso((beforeMs ?? now) + AFTER_MS),
    outcome: 'granted',
  };
  const read = await api.all<AuditRecord>('audit', { ...span, ...filterOf(scope) }, MOST);
  return isProblem(read) ? read : { out: outstanding(scope, read.items, !read.more, now, beforeMs) };
}

export function OutTable({ out, now }: { readonly out: Outstanding; readonly now: number }): VNode {
  return html`<${Table} label="Tokens that are out" heads=${['Account', 'Kind', 'Tokens', 'The last ends']}>
    ${out.byResource.map(
      ({ resource, kind, count, untilMs }) => html`<tr key=${`${resource} ${kind}`}>
        <th scope="row">${resource}</th><td>${kind}</td><td>${out.isAll ? '' : 'at least '}${count}</td>
        <td><${Time} at=${untilMs} now=${now} /> <span class="quiet">${relative(untilMs, now)}</span></td>
      </tr>`,
    )}
  <//>`;
}

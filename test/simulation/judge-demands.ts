/** What an operator asks for is carried out once. */
import type { Slot } from '../../src/ports.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import type { Account } from './account.ts';
import type { Verdict } from './verdict.ts';

/** A row of table `demands`. */
export interface DemandRow {
  readonly id: string;
  readonly account: Account;
  readonly slot: Slot | undefined;
  readonly emergency: boolean;
  state: 'waiting' | 'begun' | 'notBegun';
}

/** Each demand is begun once: the id of one is never remembered twice, and its rotation is not begun anew. */
export function judgeDemands(
  demands: ReadonlyMap<string, DemandRow>,
  verdict: Verdict,
): (row: StoredRow) => void {
  const begun = new Map<string, number>();
  const last = new Map<string, StoredRow>();
  return (row) => {
    const demandOf = (of: StoredRow | undefined): string | undefined =>
      /(demand-\d+)$/.exec(of?.state.work?.reason ?? '')?.[1];
    const demand = demandOf(row);
    if (demand !== undefined && demand !== demandOf(last.get(row.account))) {
      const slots = demands.get(demand)?.slot === undefined ? 2 : 1;
      const times = (begun.get(demand) ?? 0) + 1;
      begun.set(demand, times);
      if (times > slots) verdict.violated('demand', `${demand} is begun ${times} times`);
    }
    last.set(row.account, row);
    if (new Set(row.state.demands).size !== row.state.demands.length)
      verdict.violated('demand', `a demand is begun twice: ${row.state.demands.join(', ')}`);
  };
}

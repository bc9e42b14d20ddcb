/** What an operator asks for is begun once. */
import type { StoredDemand } from '../../src/demand/demand.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import type { Verdict } from './verdict.ts';

/** Its id is never remembered twice, and its rotation is not begun anew: once for each slot at most. */
export function judgeDemands(
  demands: ReadonlyMap<string, StoredDemand>,
  verdict: Verdict,
): (row: StoredRow) => void {
  const begun = new Map<number, number>();
  const last = new Map<string, StoredRow>();
  return (row) => {
    const demand = demandOf(row);
    if (demand !== undefined && demand !== demandOf(last.get(row.account))) {
      const asked = [...demands.values()].find(({ reason }) => reason === `demand ${demand}`);
      const times = (begun.get(demand) ?? 0) + 1;
      begun.set(demand, times);
      if (times > (asked?.slot === undefined ? 2 : 1))
        verdict.violated('demand', `demand ${demand} is begun ${times} times`);
    }
    last.set(row.account, row);
    if (new Set(row.state.demands).size !== row.state.demands.length)
      verdict.violated('demand', `a demand is begun twice: ${row.state.demands.join(', ')}`);
  };
}

/** By its reason, or by its id where a mark was taken up before the demand was told. */
function demandOf(row: StoredRow | undefined): number | undefined {
  const reason = row?.state.work?.reason ?? '';
  const found =
    /^demand (\d+) /.exec(reason) ?? /marked by demand 00000000-0000-4000-8000-(\d+)$/.exec(reason);
  return found === null ? undefined : Number(found[1]);
}

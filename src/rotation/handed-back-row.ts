/** The second of the two rows that hand an account back (row.ts). */
import { release, take } from './lease.ts';
import { markedSlots, shownRow } from './publish.ts';
import { type PublishedRow, type StoredRow, UNMARKED } from './state.ts';

/** What the published row becomes once the machine's row is handed back. */
export function secondRow(machine: StoredRow, shown: PublishedRow, nowMs: number): PublishedRow {
  // An issuer has set a mark meanwhile. With a higher fence the account is moved again (row.ts).
  if (markedSlots(machine.state, shown.marks).length > 0)
    return shownRow({ ...machine, lease: release(take(machine.lease, '', nowMs)) }, shown);
  return handedBackRow(machine, shown);
}

/** The published row as the older version writes it: with a free lease, and the marks counted in the epoch. */
function handedBackRow({ state, lease, last }: StoredRow, shown: PublishedRow): PublishedRow {
  const epoch = state.epoch + shown.marks.Key1.count + shown.marks.Key2.count;
  return {
    account: shown.account,
    etag: shown.etag,
    moved: false,
    marks: UNMARKED,
    lease: release(lease),
    last,
    state: { ...state, epoch, marksTaken: {}, demands: [] },
  };
}

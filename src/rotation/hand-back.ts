/**
 * Gives the accounts back to the version with one app, whose rotation works on the row that exchanges read. It is to be
 * run until it has handed back all of them; then that version is deployed. row.ts says how both ways fit together.
 */
import { UpstreamFailure } from '../upstream.ts';
import { handBack, isHandedBack, isHeld, release, take } from './lease.ts';
import type { RotationPorts, Target } from './ports.ts';
import { machineRow, markedSlots, shownRow } from './publish.ts';
import { type PublishedRow, type StoredRow, UNMARKED } from './state.ts';

/** @returns whether the account is handed back. False: a driver is at work, or others write; to be asked again. */
export async function handBackOne(ports: RotationPorts, { account, name }: Target): Promise<boolean> {
  const { store, published, clock } = ports;
  const machine = readable(await store.read(account), name);
  let shown = readable(await published.read(account), name);
  if (shown === undefined || !shown.moved) return machine === undefined || isHandedBack(machine.lease);
  let given = machine ?? machineRow(shown);
  if (!isHandedBack(given.lease)) {
    if (machine !== undefined && isHeld(machine.lease, clock())) return false;
    given = { ...given, lease: handBack(given.lease, clock()) };
    if ((await store.write(given)) === 'moved') return false;
    // Read again: what the last driver published after the first look is in it.
    shown = readable(await published.read(account), name);
  }
  if (shown === undefined || !shown.moved || shown.lease.fence > given.lease.fence) return false;
  const row = secondRow(given, shown, clock());
  return (await published.write(row)) !== 'moved' && !row.moved;
}

/**
 * An operator's emergency is over before its account is handed back: the older version knows no marks. So the account
 * is rotated until then, also one whose hand-back was given up for it in the middle (secondRow).
 */
export function isInEmergency({ state, lease }: StoredRow, { marks, lease: shown }: PublishedRow): boolean {
  if (isHandedBack(lease)) return shown.fence > lease.fence;
  const turns = state.work === undefined ? [] : [state.work, ...state.work.queue];
  return markedSlots(state, marks).length > 0 || turns.some(({ marked }) => marked);
}

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

function readable<Row extends object>(row: Row | 'unreadable' | undefined, name: string): Row | undefined {
  if (row === 'unreadable') throw new UpstreamFailure('tables', `a rotation row of ${name} cannot be read`);
  return row;
}

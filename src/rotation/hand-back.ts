/**
 * Gives the accounts back to the version with one app, whose rotation works on the row that exchanges read. It is to be
 * run until it has handed back all of them; then that version is deployed. row.ts says how both ways fit together.
 */
import { UpstreamFailure } from '../upstream.ts';
import { handBack, isHandedBack, isHeld, release } from './lease.ts';
import type { RotationPorts, Target } from './ports.ts';
import { machineRow } from './publish.ts';
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
  return (await published.write(handedBackRow(given, shown))) !== 'moved';
}

/** The published row as the older version writes it: with a free lease, and the marks counted in the epoch. */
export function handedBackRow({ state, lease, last }: StoredRow, shown: PublishedRow): PublishedRow {
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

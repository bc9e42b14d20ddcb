/**
 * Copies the machine's row to the row that exchanges read, and bumps the head. The machine's row is written first and
 * decides; a driver that dies in between leaves the copy to the next tick. The copy is written on its own ETag, and the
 * machine's row is read after that ETag: so a slow driver never puts an older copy over a newer one.
 *
 * An issuer may mark a slot in the copy (ports.ts, EmergencyMark) to end the use of its key before the rotator has heard
 * of the demand. The marks of a slot are counted. Those that no emergency has taken up yet (`marksTaken`) are kept here,
 * and so are those of an emergency that has not promoted the other slot yet (`marked`).
 */
import type { Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { isHandedBack } from './lease.ts';
import type { RotationPorts } from './ports.ts';
import {
  type Marks,
  otherSlot,
  type PublishedRow,
  type RotationState,
  type StoredRow,
  UNMARKED,
} from './state.ts';

/** When issuers keep changing the row, so many reads and conditional writes are tried; then it counts as an outage. */
const MAX_ROUNDS = 10;

/** @throws UpstreamFailure; then the change is not known to exchanges, and the next tick publishes it */
export async function publish(
  { store, published, head }: Pick<RotationPorts, 'store' | 'published' | 'head'>,
  account: string,
): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const there = await published.read(account);
    const row = await store.read(account);
    if (typeof row !== 'object')
      throw new UpstreamFailure('tables', `a rotation row of ${account} cannot be read`);
    if (isHandedBack(row.lease)) throw new UpstreamFailure('tables', `${account} was handed back`);
    if (there === 'unreadable') {
      // Somebody edited it, and no exchange can read it either. Marks that were in it are lost, but not their demands.
      if ((await published.repair(shownRow(row, undefined))) !== 'moved') return head.bump();
      continue;
    }
    const wanted = shownRow(row, there);
    const isThere = there !== undefined && isSame(there, wanted);
    if (isThere || (await published.write(wanted)) !== 'moved') return head.bump();
  }
  throw new UpstreamFailure('tables', `others keep writing the published row of ${account}`, 0, 5);
}

/** The copy of the machine's row, to be written over the one that is there. */
export function shownRow(row: StoredRow, there: PublishedRow | undefined): PublishedRow {
  const marks = there?.marks ?? takenMarks(row.state);
  const epoch = row.state.epoch + countOf(marks);
  const state = { ...row.state, epoch, retiring: shownRetiring(row.state, marks) };
  return { ...row, state, marks, moved: true, etag: there?.etag };
}

/** The machine's row, from its copy: where the machine has none yet, or somebody has deleted it. */
export function machineRow({ marks, moved: _, ...row }: PublishedRow): StoredRow {
  const { active, epoch, retiring } = row.state;
  const state = {
    ...row.state,
    epoch: epoch - countOf(marks),
    retiring: retiring === active ? undefined : retiring,
  };
  return { ...row, state, etag: undefined };
}

/** Whether exchanges, and whoever reads the marks, are told the same by both. */
export function isSame(one: PublishedRow, other: PublishedRow): boolean {
  return one.moved === other.moved && told(one.state) === told(other.state);
}

/** Whether a change of the machine's row is one that exchanges must know of. */
export function isShown(before: RotationState, after: RotationState): boolean {
  const shown = (state: RotationState): string =>
    told({ ...state, retiring: shownRetiring(state, takenMarks(state)) });
  return shown(before) !== shown(after);
}

/** The slots with marks that no emergency has taken up. */
export function markedSlots({ marksTaken }: RotationState, marks: Marks): Slot[] {
  return (['Key1', 'Key2'] as const).filter((slot) => marks[slot].count > (marksTaken[slot] ?? 0));
}

function shownRetiring(state: RotationState, marks: Marks): Slot | undefined {
  const { work, active } = state;
  const ahead =
    work === undefined ? [] : work.phase.name === 'promoting' ? [work, ...work.queue] : work.queue;
  const waiting = ahead.filter(({ marked }) => marked).map(({ slot }) => slot);
  const marked = [...markedSlots(state, marks), ...waiting];
  return [active, otherSlot(active)].find((slot) => marked.includes(slot)) ?? state.retiring;
}

function told({
  generation,
  retiring,
  epoch,
  active,
  secret,
  secretVersion,
  marksTaken,
}: RotationState): string {
  const { Key1 = 0, Key2 = 0 } = marksTaken;
  return JSON.stringify([generation, retiring ?? '', epoch, active, secret, secretVersion, Key1, Key2]);
}

function countOf({ Key1, Key2 }: Marks): number {
  return Key1.count + Key2.count;
}

function takenMarks({ marksTaken: { Key1 = 0, Key2 = 0 } }: RotationState): Marks {
  return { Key1: { ...UNMARKED.Key1, count: Key1 }, Key2: { ...UNMARKED.Key2, count: Key2 } };
}

/**
 * Which row of a target counts, and how it comes to the table of the rotator app. The version with one app worked on
 * the row that exchanges read; older ones kept it under the resource's name in the policy, so that a resource could not
 * be renamed. Before its first step here an account goes this way, each write on the ETag of what was read:
 * 1. The published row says `moved`, which drivers of the older versions cannot read, so they change nothing any more.
 *    An account without a row gets one first. A row with a driver at work is left alone until that driver is done.
 * 2. The machine's row is made from it, and from then on decides.
 * The way back (hand-back.ts) writes `handed back` into the machine's row, which then counts no more, and then the
 * published row without `moved`. Machine rows are never removed, so that a slow driver cannot make an old one again.
 * Both ways raise the fence: a moved row with a higher fence than the row that was handed back was moved after it.
 */
import { MAX_DECLARED_LIFE_MS } from '../facts/sts.ts';
import { UpstreamFailure } from '../upstream.ts';
import { secondRow } from './handed-back-row.ts';
import { isHandedBack, isHeld, release, take } from './lease.ts';
import type { PublishedMap, RotationPorts, Rows, Target } from './ports.ts';
import { machineRow, shownRow } from './publish.ts';
import { type PublishedRow, type StoredRow, unseen } from './state.ts';

/** All rows of both tables. */
export interface AllRows {
  readonly rows: Rows;
  readonly published: PublishedMap;
}
/** The rows of one target. */
export interface Seen {
  readonly machine: StoredRow | 'unreadable' | undefined;
  readonly published: PublishedRow | 'unreadable' | undefined;
  /** The row of an older version, under the resource's name in the policy. */
  readonly named: PublishedRow | 'unreadable' | undefined;
}

export async function readAll({ store, published }: RotationPorts): Promise<AllRows> {
  const [rows, shown] = await Promise.all([store.all(), published.all()]);
  return { rows, published: shown };
}

export function seenIn({ rows, published }: AllRows, { account, name }: Target): Seen {
  return { machine: rows.get(account), published: published.get(account), named: published.get(name) };
}

async function readSeen({ store, published }: RotationPorts, { account, name }: Target): Promise<Seen> {
  const machine = await store.read(account);
  const shown = await published.read(account);
  return { machine, published: shown, named: shown ?? (await published.read(name)) };
}

/** The row that counts, for those who only look; undefined: there is none. */
export function rowIn({ machine, published, named }: Seen): StoredRow | 'unreadable' | undefined {
  if (machine === 'unreadable' || (machine !== undefined && !isHandedBack(machine.lease))) return machine;
  const found = published ?? named;
  return typeof found === 'object' ? machineRow(found) : found;
}

/** For those who only look. @throws UpstreamFailure, also when the row cannot be parsed */
export async function readRow(ports: RotationPorts, target: Target): Promise<StoredRow> {
  const row = rowIn(await readSeen(ports, target)) ?? unseen(target.account, ports.clock());
  return readable(row, target);
}

/**
 * The machine's row, which is moved first where that is still to do. To be called before a step.
 * @throws UpstreamFailure, also when a row cannot be parsed, or when another driver works on it or moves it
 */
export async function settledRow(ports: RotationPorts, target: Target, seen?: Seen): Promise<StoredRow> {
  const { machine, published, named } = seen ?? (await readSeen(ports, target));
  const there = readable(machine, target);
  if (there !== undefined && !isHandedBack(there.lease)) return there;
  let shown = readable(published, target);
  if (shown === undefined) shown = await claimed(ports, target, there, readable(named, target));
  else if (!shown.moved) shown = await moved(ports, target, shown);
  else if (there !== undefined && shown.lease.fence <= there.lease.fence) {
    // Whoever handed it back died before the second write. It is finished first, and moved again by the next tick.
    await ports.published.write(secondRow(there, shown, ports.clock()));
    throw busy(target);
  }
  const { state, ...row } = machineRow(shown);
  // The version with one app keeps no demands, so those of a row that was handed back are still the last that were begun.
  const demands = there?.state.demands ?? state.demands;
  const made = { ...row, state: { ...state, demands }, lease: release(shown.lease), etag: there?.etag };
  const written = await ports.store.write(made);
  if (written === 'moved') throw busy(target);
  return { ...made, etag: written.etag };
}

/** The published row of an account that has none. It is there before the machine's row, so no older driver begins. */
async function claimed(
  ports: RotationPorts,
  target: Target,
  handedBack: StoredRow | undefined,
  named: PublishedRow | undefined,
): Promise<PublishedRow> {
  const old = named?.moved === false ? await moved(ports, target, named) : named;
  const from = old !== undefined ? carried(ports, target, machineRow(old)) : handedBack;
  const nowMs = ports.clock();
  const row = from ?? unseen(target.account, nowMs);
  const wanted = shownRow({ ...row, lease: release(take(row.lease, '', nowMs)) }, undefined);
  const written = await ports.published.write(wanted);
  if (written === 'moved') throw busy(target);
  return { ...wanted, etag: written.etag };
}

async function moved(ports: RotationPorts, target: Target, row: PublishedRow): Promise<PublishedRow> {
  const nowMs = ports.clock();
  if (isHeld(row.lease, nowMs)) throw busy(target);
  const wanted = { ...row, lease: release(take(row.lease, '', nowMs)), moved: true };
  const written = await ports.published.write(wanted);
  if (written === 'moved') throw busy(target);
  return { ...wanted, etag: written.etag };
}

function carried({ clock }: RotationPorts, { account, secret }: Target, row: StoredRow): StoredRow {
  const { state } = row;
  return {
    ...row,
    account,
    state: {
      ...state,
      // In such rows `rotatedAtMs` may be the time of the adoption, so it says nothing about the age of the keys.
      adoptedAtMs: clock(),
      rotatedAtMs: undefined,
      bornAtMs: {},
      secret: state.secretVersion === '' ? '' : secret,
      // Tokens bought until now are in the mint ledger under the resource's name, where no drain looks any more.
      suspectUntilMs: Math.max(state.suspectUntilMs, clock() + MAX_DECLARED_LIFE_MS),
    },
  };
}

/** @throws UpstreamFailure when it cannot be parsed */
export function readable<Row extends object>(row: Row | 'unreadable', target: Target): Row;
export function readable<Row extends object>(
  row: Row | 'unreadable' | undefined,
  target: Target,
): Row | undefined;
export function readable<Row extends object>(row: Row | 'unreadable' | undefined, { name }: Target) {
  if (row === 'unreadable') throw new UpstreamFailure('tables', `the rotation row of ${name} cannot be read`);
  return row;
}

function busy({ name }: Target): UpstreamFailure {
  return new UpstreamFailure('tables', `another driver is at ${name}`, 0, 5);
}

/** Stores the beginning of what was asked for, in one conditional write. What is asked again begins nothing new. */
import type { Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { writeDown } from './advance.ts';
import { alsoRetire, begin, beginEmergency, beginSlot, resumed } from './begin.ts';
import { isHeld, take } from './lease.ts';
import type { RotationPorts, Target } from './ports.ts';
import { markedSlots, publish } from './publish.ts';
import { type Marks, otherSlot, type RotationState, type StoredRow, type Turn, UNMARKED } from './state.ts';

export interface RetireRequest {
  /** Absent: a whole rotation in the policy's mode; in an emergency both slots. */
  readonly slot?: Slot | undefined;
  /** The drain is skipped, and no token that was bought before is returned any more. */
  readonly emergency: boolean;
  readonly reason: string;
  /** The id of the demand. A demand that is asked for again is not begun a second time. */
  readonly demand?: string | undefined;
}

/** So many demands of an account are remembered; an emergency of both slots counts as two. */
const MAX_DEMANDS = 40;

/** @throws UpstreamFailure, also while another driver works on this resource; then it must be asked again */
export async function ask(
  ports: RotationPorts,
  target: Target,
  row: StoredRow,
  request: RetireRequest,
  driver: string,
): Promise<void> {
  const { state } = row;
  const nowMs = ports.clock();
  const marks = request.emergency ? await marksOf(ports, target) : UNMARKED;
  // Only an emergency gets here while the account is paused, and its history says that it did.
  const reason = target.rotation.paused
    ? `${request.reason} (an emergency ignores the pause)`
    : request.reason;
  const begun = asked({ ...state, healing: undefined }, target, { ...request, reason }, marks, nowMs);
  const leased = { ...row, lease: take(row.lease, driver, nowMs) };
  if (isHeld(row.lease, nowMs) || !(await writeDown(ports, target.name, leased, state, begun, reason))) {
    throw new UpstreamFailure('tables', `another driver is at ${target.name}`, 0, 5);
  }
  // `writeDown` publishes only what is a change. A repeated request may be one whose publication had failed.
  if (request.emergency) await publish(ports, target.account);
}

/** Takes up the marks that an issuer has set and for which the demand has not been told yet. */
export async function takeUp(
  ports: RotationPorts,
  target: Target,
  row: StoredRow,
  marks: Marks,
  driver: string,
): Promise<StoredRow> {
  let now = row;
  for (const slot of markedSlots(row.state, marks)) {
    const { demand } = marks[slot];
    const reason = `${slot} was marked by demand ${demand}`;
    await ask(ports, target, now, { slot, emergency: true, reason, demand }, driver);
    const read = await ports.store.read(target.account);
    if (typeof read !== 'object') throw new UpstreamFailure('tables', `no row of ${target.name}`);
    now = read;
  }
  return now;
}

async function marksOf({ published }: RotationPorts, { account }: Target): Promise<Marks> {
  const there = await published.read(account);
  return typeof there === 'object' ? there.marks : UNMARKED;
}

function asked(
  state: RotationState,
  target: Target,
  request: RetireRequest,
  marks: Marks,
  nowMs: number,
): RotationState {
  const { slot, emergency, reason, demand } = request;
  const isNew = (id: string): boolean => demand === undefined || !state.demands.includes(id);
  const begunBy = (begun: RotationState, ids: readonly string[]): RotationState =>
    demand === undefined ? begun : { ...begun, demands: [...state.demands, ...ids].slice(-MAX_DEMANDS) };
  if (!emergency) {
    const id = demand ?? '';
    return isNew(id) ? begunBy(beginOrdinary(state, target, request, nowMs), [id]) : resumed(state, nowMs);
  }
  // Slot by slot: a mark may be taken up before its demand is told, and then the demand's other slot is still to do.
  const slots: Slot[] = slot === undefined ? [state.active, otherSlot(state.active)] : [slot];
  const idOf = (one: Slot): string => `${demand} ${one}`;
  const left = slots.filter((one) => isNew(idOf(one)));
  const begun = left.length === 0 ? resumed(state, nowMs) : beginEmergency(state, left, reason, nowMs);
  return withMarks(begunBy(begun, left.map(idOf)), slots, marks);
}

function beginOrdinary(
  state: RotationState,
  { rotation }: Target,
  { slot, reason }: RetireRequest,
  nowMs: number,
): RotationState {
  if (slot === undefined) {
    return state.work === undefined ? begin(state, rotation.mode, reason, nowMs) : resumed(state, nowMs);
  }
  return state.work === undefined ? beginSlot(state, slot, reason, nowMs) : alsoRetire(state, slot, nowMs);
}

/** The marks of these slots are taken up, and go on to count until the emergency has promoted another slot. */
function withMarks(state: RotationState, slots: readonly Slot[], marks: Marks): RotationState {
  const marked = markedSlots(state, marks).filter((slot) => slots.includes(slot));
  if (marked.length === 0) return state;
  const taken = Object.fromEntries(marked.map((slot) => [slot, marks[slot].count]));
  const marksTaken = { ...state.marksTaken, ...taken };
  const withMark = <One extends Turn>(turn: One): One =>
    turn.emergency && marked.includes(turn.slot) ? { ...turn, marked: true } : turn;
  const { work } = state;
  if (work === undefined) return { ...state, marksTaken };
  return { ...state, marksTaken, work: { ...withMark(work), queue: work.queue.map(withMark) } };
}

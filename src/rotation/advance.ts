/**
 * One step of one resource:
 * 1. `observe` reads the keys, the vault and the ledger; `next` decides the step.
 * 2. The lease is taken by a conditional write, which also counts the try. Another driver that saw the same row fails.
 * 3. `act` changes the vault or the account. Before each change it checks that this driver still has the lease.
 * 4. The new state is written conditionally, then published to the exchanges, then the history is written.
 * After a crash between any two of these the next tick reads what is there and goes on (invariants 4 and 5). A step
 * that changes only the state skips 2 and 3, because its one conditional write is enough.
 */
import { UpstreamFailure } from '../upstream.ts';
import { afterBlackoutMs, consumersMs, dueAtMs } from './due.ts';
import { act } from './effects.ts';
import { isHeld, isTrusted, release, take } from './lease.ts';
import { observe } from './observe.ts';
import type { RotationPorts, Target } from './ports.ts';
import { problemOf } from './problem.ts';
import { isShown, publish } from './publish.ts';
import { next, type Rules } from './retire.ts';
import { failed, tried } from './retry.ts';
import type { Evidence, HistoryEntry, RotationState, StoredRow } from './state.ts';
import type { Step } from './step.ts';

export interface Advance {
  readonly resource: string;
  /** `busy`: another driver has the lease or was faster. `lost`: another driver took over during the step. */
  readonly did: Step['do'] | 'busy' | 'lost';
  readonly why: string;
  readonly untilMs?: number | undefined;
  /** What was seen before the step; absent where another driver has the lease. */
  readonly seen?: Evidence;
  /** The state that the step left; absent where the row was not written. */
  readonly after?: RotationState;
}

/**
 * @param driver names this run; no two runs have the same name
 * @param only `drift`: repairs what somebody else changed, and makes no rotation go on
 * @throws UpstreamFailure when something could not be read or written; the next tick goes on from the row
 */
export async function advance(
  ports: RotationPorts,
  target: Target,
  row: StoredRow,
  driver: string,
  only: 'drift' | 'all' = 'all',
): Promise<Advance> {
  const resource = target.name;
  const busy = { resource, did: 'busy', why: 'another driver has the lease' } as const;
  if (isHeld(row.lease, ports.clock())) return busy;
  const sight = await observe(ports, target, row.state);
  const step = next(row.state, sight.evidence, rulesOf(target, row.state, sight.evidence.nowMs));
  const { evidence: seen } = sight;
  if (step.do === 'wait') return { resource, ...step, did: 'wait', seen };
  if (only === 'drift' && !('drift' in step)) return { resource, did: 'wait', why: 'no drift' };

  // If the last driver crashed after it wrote the row, the history entry is missing. A repeated write is harmless.
  if (row.last !== undefined) await ports.store.record(row.last);
  const nowMs = ports.clock();
  const lease = take(row.lease, driver, nowMs);
  const did = { resource, did: step.do, why: step.why, seen };
  if (step.do === 'note') {
    return (await writeDown(ports, resource, { ...row, lease }, row.state, step.to, step.why))
      ? { ...did, after: step.to }
      : busy;
  }
  const { keys } = sight;
  if (typeof keys === 'string') return { ...did, did: 'wait', why: keys };
  const leased = { ...row, lease, state: tried(row.state, step, nowMs) };
  const written = await ports.store.write(leased);
  if (written === 'moved') return busy;
  const { etag } = written;

  const isMine = async (): Promise<boolean> => {
    const now = await ports.store.read(row.account);
    return typeof now === 'object' && now.etag === etag && isTrusted(lease, ports.clock());
  };
  let state: RotationState | 'lost';
  let why = step.why;
  try {
    const driving = { ports, target, keys, isMine, state: leased.state, fence: lease.fence };
    state = await ports.within(step.do, resource, () => act(driving, step));
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error;
    why = error.message;
    state = failed(leased.state, problemOf(error));
  }
  if (state === 'lost') return { ...did, did: 'lost', why: 'another driver took over' };
  return (await writeDown(ports, resource, { ...leased, etag }, row.state, state, why))
    ? { ...did, why, after: state }
    : busy;
}

/**
 * Writes the row, then publishes it if exchanges must know of the change, then writes the history.
 * @returns false when another driver has written the row in between; then nothing was changed
 */
export async function writeDown(
  ports: RotationPorts,
  resource: string,
  row: StoredRow,
  before: RotationState,
  after: RotationState,
  why: string,
): Promise<boolean> {
  const last = entry(row, before, after, why, ports.clock());
  const written = await ports.store.write({ ...row, state: after, lease: release(row.lease), last });
  if (written === 'moved') return false;
  if (isShown(before, after)) await publish(ports, row.account);
  await ports.store.record(last);
  const { from, to, tookMs } = last;
  ports.log('rotation', { resource, from, to, why, tookSeconds: Math.round(tookMs / 1000) });
  return true;
}

export function rulesOf({ name, resource, rotation }: Target, state: RotationState, nowMs: number): Rules {
  return {
    accountId: resource.accountId,
    paused: rotation.paused,
    mode: rotation.mode,
    consumersMs: consumersMs(rotation),
    startsAtMs: afterBlackoutMs(rotation, Math.max(nowMs, dueAtMs(name, rotation, state))),
  };
}

function entry(
  row: StoredRow,
  before: RotationState,
  after: RotationState,
  why: string,
  atMs: number,
): HistoryEntry {
  const lags = [after, before].map(({ work }) => work?.phase).find((phase) => phase?.name === 'proving');
  return {
    account: row.account,
    fence: row.lease.fence,
    atMs,
    by: row.lease.holder,
    from: inWords(before),
    to: inWords(after),
    why,
    tookMs: before.work === undefined ? 0 : atMs - before.work.phaseAtMs,
    slot: (before.work ?? after.work)?.slot,
    emergency: (after.work ?? before.work)?.emergency === true,
    newKeyLagMs: lags?.newKeyLagMs,
    oldKeyLagMs: lags?.oldKeyLagMs,
  };
}

/** The phase, for people: `draining (Key1)`, `blocked`, `not adopted` or `steady`. */
export function inWords({ work, blocked, generation }: RotationState): string {
  if (work !== undefined) return `${work.phase.name} (${work.slot})`;
  if (blocked !== undefined) return 'blocked';
  return generation === 0 ? 'not adopted' : 'steady';
}

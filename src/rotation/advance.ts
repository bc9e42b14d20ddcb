/** One step of one resource: look, decide, take the lease, act, write down. A crash between any two of these is safe. */
import { UpstreamFailure } from '../upstream.ts';
import { afterBlackoutMs, consumersMs, dueAtMs } from './due.ts';
import { act } from './effects.ts';
import { isHeld, isTrusted, release, take } from './lease.ts';
import { observe } from './observe.ts';
import type { RotationPorts, Target } from './ports.ts';
import { problemOf } from './problem.ts';
import { failed, tried } from './progress.ts';
import { next, type Rules } from './retire.ts';
import type { HistoryEntry, RotationState, StoredRow } from './state.ts';
import type { Step } from './step.ts';

export interface Advance {
  readonly resource: string;
  /** `busy`: another driver has the lease, or took it first. `lost`: it took over during the step. */
  readonly did: Step['do'] | 'busy' | 'lost';
  readonly why: string;
  readonly untilMs?: number | undefined;
}

/**
 * @param driver names this run; no two runs have the same name
 * @param only `drift`: what somebody else changed is put right, and no rotation goes on
 * @throws UpstreamFailure when something could not be seen or written down; the next tick goes on from the row
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
  if (step.do === 'wait') return { resource, ...step, did: 'wait' };
  if (only === 'drift' && !('drift' in step)) return { resource, did: 'wait', why: 'no drift' };

  // Written after the row it belongs to, so it may be missing: this is idempotent.
  if (row.last !== undefined) await ports.store.record(row.last);
  const nowMs = ports.clock();
  const lease = take(row.lease, driver, nowMs);
  const did = { resource, did: step.do, why: step.why };
  if (step.do === 'note') {
    return (await writeDown(ports, resource, { ...row, lease }, row.state, step.to, step.why)) ? did : busy;
  }
  const { keys } = sight;
  if (typeof keys === 'string') return { ...did, did: 'wait', why: keys };
  const leased = { ...row, lease, state: tried(row.state, step, nowMs) };
  const etag = await ports.store.write(leased);
  if (etag === 'moved') return busy;

  const isMine = async (): Promise<boolean> => {
    const now = await ports.store.read(row.account);
    return typeof now === 'object' && now.etag === etag && isTrusted(lease, ports.clock());
  };
  let state: RotationState | 'lost';
  let why = step.why;
  try {
    state = await act({ ports, target, keys, isMine, state: leased.state, fence: lease.fence }, step);
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error;
    why = error.message;
    state = failed(leased.state, problemOf(error));
  }
  if (state === 'lost') return { ...did, did: 'lost', why: 'another driver took over' };
  return (await writeDown(ports, resource, { ...leased, etag }, row.state, state, why))
    ? { ...did, why }
    : busy;
}

/** The row, then the head row where an exchange must know, then the history. False: another driver was first. */
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
  if (
    after.generation !== before.generation ||
    after.retiring !== before.retiring ||
    after.epoch !== before.epoch
  ) {
    await ports.head.bump();
  }
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
    emergency: (after.work ?? before.work)?.emergency === true,
    newKeyLagMs: lags?.newKeyLagMs,
    oldKeyLagMs: lags?.oldKeyLagMs,
  };
}

/** Where the machine is, in few words. */
export function inWords({ work, blocked, generation }: RotationState): string {
  if (work !== undefined) return `${work.phase.name} (${work.slot})`;
  if (blocked !== undefined) return 'blocked';
  return generation === 0 ? 'not adopted' : 'steady';
}

/** What events and operators ask of the rotation, without waiting for the timer. Each is safe to ask twice. */
import type { Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Advance, advance, inWords, writeDown } from './advance.ts';
import { isHeld, take } from './lease.ts';
import { type Pace, subscriptionOf } from './pace.ts';
import type { RotationPorts, Target } from './ports.ts';
import { said } from './problem.ts';
import { alsoRetire, begin, beginEmergency, beginSlot, resumed } from './progress.ts';
import { readRow, settleRow } from './row.ts';
import type { RotationState, StoredRow } from './state.ts';

export interface RetireRequest {
  /** Absent: the whole rotation, as the policy has it; in an emergency both slots. */
  readonly slot?: Slot | undefined;
  /** The drain is skipped, and no token bought before is handed out any more. */
  readonly emergency: boolean;
  readonly reason: string;
}
export interface Retirement {
  readonly resource: string;
  /** False: nothing was begun, and `why` says what stands against it. */
  readonly begun: boolean;
  readonly state: string;
  readonly why: string;
}

export interface Demands {
  /** Puts right what somebody else changed. Never makes a rotation go on: our own writes set off such events. */
  heal(resource: string): Promise<Advance | undefined>;
  /**
   * Begins, or resumes what is stuck, and goes as far as it can without waiting; the timer does the rest.
   * @throws UpstreamFailure when it could not be written down that it has begun, also while another driver
   * is at this resource: ask again
   */
  retireNow(resource: string, request: RetireRequest): Promise<Retirement | undefined>;
  /**
   * The slot whose key has this SHA-256, as the accounts themselves say; `first` is looked at first.
   * @throws UpstreamFailure when it is found in none but may be in one that could not be asked
   */
  findSlotByKeyHash(
    sha256: string,
    first: string | undefined,
  ): Promise<{ readonly resource: string; readonly slot: Slot } | undefined>;
  /** The version that is current as far as the rotation knows. */
  publishedVersion(resource: string): Promise<string | undefined>;
}

/** Two retirements without a wait in between. */
const MAX_STEPS = 20;

export function createDemands(
  ports: RotationPorts,
  targets: readonly Target[],
  newDriver: () => string,
  pace: Pace,
): Demands {
  const find = (resource: string): Target | undefined => targets.find(({ name }) => name === resource);

  const rowOf = async (target: Target): Promise<StoredRow> =>
    settleRow(ports, target, await readRow(ports, target));

  async function retireNow(resource: string, request: RetireRequest): Promise<Retirement | undefined> {
    const target = find(resource);
    if (target === undefined) return undefined;
    if (target.rotation.paused && !request.emergency) {
      return { resource, begun: false, state: 'paused', why: 'paused by the policy' };
    }
    const driver = newDriver();
    if ((await rowOf(target)).state.generation === 0) {
      await advance(ports, target, await rowOf(target), driver, 'drift');
    }
    const row = await rowOf(target);
    const { state } = row;
    if (state.generation === 0) {
      const why = state.blocked ? said(state.blocked) : 'not adopted yet';
      return { resource, begun: false, state: inWords(state), why };
    }
    const nowMs = ports.clock();
    const begun = asked({ ...state, healing: undefined }, target, request, nowMs);
    const lease = take(row.lease, driver, nowMs);
    if (
      isHeld(row.lease, nowMs) ||
      !(await writeDown(ports, resource, { ...row, lease }, state, begun, request.reason))
    ) {
      throw new UpstreamFailure('tables', `another driver is at ${resource}`, 0, 5);
    }
    // Whoever asks twice may do so because the first bump was lost.
    if (request.emergency) await ports.head.bump();
    return goOn(target, driver);
  }

  async function goOn(target: Target, driver: string): Promise<Retirement> {
    const resource = target.name;
    let why = '';
    try {
      let before = '';
      for (let step = 0; step < MAX_STEPS; step += 1) {
        const done = await advance(ports, target, await rowOf(target), driver);
        why = done.why;
        // The same step twice: a key is not accepted yet, or must be for some time.
        if (done.did === 'wait' || done.did === 'busy' || done.did === 'lost' || done.why === before) break;
        before = done.why;
      }
    } catch (error) {
      // It has begun, and the timer goes on.
      if (!(error instanceof UpstreamFailure)) throw error;
      why = error.message;
      ports.log('rotation_unreachable', { resource, problem: why });
    }
    return { resource, begun: true, state: inWords((await rowOf(target)).state), why };
  }

  return {
    retireNow,
    heal: async (resource) => {
      const target = find(resource);
      if (target === undefined) return undefined;
      return advance(ports, target, await rowOf(target), newDriver(), 'drift');
    },
    findSlotByKeyHash: async (sha256, first) => {
      let unseenAccount: UpstreamFailure | undefined;
      const isFirst = ({ name }: Target): number => Number(name === first);
      for (const target of targets.toSorted((a, b) => isFirst(b) - isFirst(a))) {
        await pace(subscriptionOf(target.resource.accountId));
        try {
          const keys = await ports.accounts.listKeys(target.resource.accountId);
          // A role that was taken away says nothing about the keys; switched-off keys and no account do.
          if (keys === 'forbidden')
            throw new UpstreamFailure('arm', `may not list the keys of ${target.name}`);
          if (typeof keys === 'string') continue;
          if (keys.Key1.sha256 === sha256) return { resource: target.name, slot: 'Key1' };
          if (keys.Key2.sha256 === sha256) return { resource: target.name, slot: 'Key2' };
        } catch (error) {
          if (!(error instanceof UpstreamFailure)) throw error;
          unseenAccount = error;
        }
      }
      // It may be the key of an account that could not be asked.
      if (unseenAccount !== undefined) throw unseenAccount;
      return undefined;
    },
    publishedVersion: async (resource) => {
      const target = find(resource);
      if (target === undefined) return undefined;
      const row = await readRow(ports, target);
      return row.state.secretVersion !== '' ? row.state.secretVersion : undefined;
    },
  };
}

function asked(state: RotationState, target: Target, request: RetireRequest, nowMs: number): RotationState {
  const { slot, reason } = request;
  if (request.emergency) {
    const both: Slot[] = [state.active, state.active === 'Key1' ? 'Key2' : 'Key1'];
    return beginEmergency(state, slot === undefined ? both : [slot], reason, nowMs);
  }
  if (slot === undefined) {
    return state.work === undefined
      ? begin(state, target.rotation.mode, reason, nowMs)
      : resumed(state, nowMs);
  }
  return state.work === undefined ? beginSlot(state, slot, reason, nowMs) : alsoRetire(state, slot, nowMs);
}

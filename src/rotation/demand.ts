/** What events and operators ask of the rotation, without waiting for the timer. Each request may be repeated. */
import { coalesce } from '../coalesce.ts';
import type { Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Advance, advance, inWords } from './advance.ts';
import { ask, type RetireRequest } from './ask.ts';
import { becameOf, type Demanded } from './demanded.ts';
import { type Pace, subscriptionOf } from './pace.ts';
import { withPause } from './pause.ts';
import type { RotationPorts, Target } from './ports.ts';
import { advice, said } from './problem.ts';
import { readRow, settledRow } from './row.ts';
import type { StoredRow } from './state.ts';

/** `notBegun`: nothing was begun, and `why` tells people what prevents it. */
export interface Retirement {
  readonly kind: 'begun' | 'notBegun';
  readonly resource: string;
  readonly state: string;
  readonly why: string;
  /** Of `notBegun`: its kind, and what to do about it. */
  readonly problem?: { readonly code: string; readonly advice: string };
}

export interface Demands {
  /**
   * Repairs what somebody else changed. It never makes a rotation go on, because the broker's own writes cause the same
   * events (invariant 10). undefined: the resource is not rotated.
   */
  heal(resource: string): Promise<Advance | undefined>;
  /**
   * Begins a retirement, or resumes one that is stuck, and makes the steps that need no waiting; the timer makes the
   * rest. undefined: the resource is not rotated.
   * @throws UpstreamFailure when the beginning could not be stored, also while another driver works on this resource;
   * then it must be asked again
   */
  retireNow(resource: string, request: RetireRequest): Promise<Retirement | undefined>;
  /**
   * Asks the accounts for the slot whose key has this SHA-256, beginning with the resource `first`.
   * @throws UpstreamFailure when no account has it and one or more could not be asked
   */
  findSlotByKeyHash(
    sha256: string,
    first: string | undefined,
  ): Promise<{ readonly resource: string; readonly slot: Slot } | undefined>;
  /** What became of a demand that was begun. undefined: the row does not know it, or the resource is not rotated. */
  becameOf(resource: string, demanded: Demanded): Promise<ReturnType<typeof becameOf>>;
  /** The secret version that the row names as current; undefined before the adoption. */
  publishedVersion(resource: string): Promise<string | undefined>;
}

/** More than enough for two retirements that never have to wait. */
const MAX_STEPS = 20;

export function createDemands(
  ports: RotationPorts,
  targets: readonly Target[],
  newDriver: () => string,
  pace: Pace,
): Demands {
  const find = (resource: string): Target | undefined => targets.find(({ name }) => name === resource);

  const rowOf = (target: Target): Promise<StoredRow> => settledRow(ports, target);
  /** Paced: whoever can invent demands or events must not use up the limits of Azure Resource Manager. */
  const step = async (target: Target, driver: string, only?: 'drift'): Promise<Advance> => {
    await pace(subscriptionOf(target.resource.accountId), 'onDemand');
    return advance(ports, target, await rowOf(target), driver, only);
  };

  // Whoever can write to the topic can report made-up keys. All reports that wait for an account's keys share one look.
  const looks = targets.map((target) => ({
    target,
    listKeys: coalesce(async () => {
      await pace(subscriptionOf(target.resource.accountId));
      return ports.accounts.listKeys(target.resource.accountId);
    }),
  }));

  async function retireNow(resource: string, request: RetireRequest): Promise<Retirement | undefined> {
    const named = find(resource);
    if (named === undefined) return undefined;
    const target = withPause(named, await ports.pauses.all());
    const { paused } = target.rotation;
    if (paused && !request.emergency) {
      const problem = {
        code: 'paused',
        advice: 'the account is paused: resume it first; an emergency ignores that',
      };
      return { kind: 'notBegun', resource, state: 'paused', why: 'the account is paused', problem };
    }
    const driver = newDriver();
    if ((await rowOf(target)).state.generation === 0) {
      await step(target, driver, 'drift');
    }
    const row = await rowOf(target);
    const { state } = row;
    if (state.generation === 0) {
      const { blocked } = state;
      const why = blocked ? said(blocked) : 'not adopted yet';
      const problem = blocked
        ? { code: blocked.code, advice: advice(blocked) }
        : { code: 'not_adopted', advice: 'ask again when the account shows its slots' };
      return { kind: 'notBegun', resource, state: inWords(state), why, problem };
    }
    await ask(ports, target, row, request, driver);
    return goOn(target, driver);
  }

  async function goOn(target: Target, driver: string): Promise<Retirement> {
    const resource = target.name;
    let why = '';
    try {
      let before: Advance['did'] | undefined;
      for (let steps = 0; steps < MAX_STEPS; steps += 1) {
        const done = await step(target, driver);
        why = done.why;
        if (done.did === 'wait' || done.did === 'busy' || done.did === 'lost') break;
        // A key that is proved twice in a row is not accepted for long enough yet: the timer proves it again later.
        if (done.did === 'prove' && before === 'prove') break;
        before = done.did;
      }
    } catch (error) {
      // The beginning is stored, so the request succeeded; the timer goes on with it.
      if (!(error instanceof UpstreamFailure)) throw error;
      why = error.message;
      ports.log('rotation_unreachable', { resource, problem: why });
    }
    return { kind: 'begun', resource, state: inWords((await rowOf(target)).state), why };
  }

  return {
    retireNow,
    heal: async (resource) => {
      const target = find(resource);
      if (target === undefined) return undefined;
      return step(target, newDriver(), 'drift');
    },
    findSlotByKeyHash: async (sha256, first) => {
      let unseenAccount: UpstreamFailure | undefined;
      const isFirst = ({ target }: { readonly target: Target }): number => Number(target.name === first);
      for (const { target, listKeys } of looks.toSorted((a, b) => isFirst(b) - isFirst(a))) {
        try {
          const keys = await listKeys(undefined);
          // Without its role the rotator cannot know. An account without keys, or that is gone, does not have the key.
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
      if (unseenAccount !== undefined) throw unseenAccount;
      return undefined;
    },
    becameOf: async (resource, demanded) => {
      const target = find(resource);
      return target && becameOf((await readRow(ports, target)).state, demanded);
    },
    publishedVersion: async (resource) => {
      const target = find(resource);
      if (target === undefined) return undefined;
      const row = await readRow(ports, target);
      return row.state.secretVersion !== '' ? row.state.secretVersion : undefined;
    },
  };
}

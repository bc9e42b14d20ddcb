/** The rotation of all resources: the tick of the timer, the plan, and what a health check asks. */
import { accountKey } from '../account-key.ts';
import type { Resource } from '../policy/schema.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Advance, advance } from './advance.ts';
import { takeUp } from './ask.ts';
import { createDemands, type Demands } from './demand.ts';
import { handBackOne } from './hand-back.ts';
import { isHeld } from './lease.ts';
import { type Pace, subscriptionOf } from './pace.ts';
import { hasKeyOfUnknownAge, historyOf, isOverdue, type Plan, planOne } from './plan.ts';
import type { RotationPorts, Target } from './ports.ts';
import { said } from './problem.ts';
import { isSame, publish, shownRow } from './publish.ts';
import { hasNoKeys } from './retire.ts';
import { isStuck } from './retry.ts';
import { type AllRows, readAll, rowIn, seenIn, settledRow } from './row.ts';
import { type HistoryEntry, type StoredRow, unseen } from './state.ts';

export interface TickReport {
  readonly resources: number;
  /** The steps that were made. */
  readonly steps: readonly Advance[];
  readonly waiting: number;
  /** The resources whose state could not be read or written; the next tick tries again. */
  readonly unreachable: readonly string[];
  /** How many were left to the next tick, because time ran out or ARM throttled their subscription. */
  readonly postponed: number;
}

export interface KeyRotation extends Demands {
  tick(): Promise<TickReport>;
  plan(): Promise<readonly Plan[]>;
  history(resource: string, most: number): Promise<readonly HistoryEntry[]>;
  /** For a health check, by one query: so an overdue rotation is noticed even when the timer has stopped. */
  overdue(): Promise<Overdue>;
}

/** Resources, by their names. */
export interface Overdue {
  readonly overdue: readonly string[];
  /** They have a key that the rotation did not see being made, so its age is unknown. */
  readonly ofUnknownAge: readonly string[];
}

/** How many resources are worked on at the same time. */
const PARALLEL = 16;
/** A tick starts no step later than this after its own start: the host ends a function after five minutes. */
const TICK_MS = 240_000;

/**
 * @param instance names this process in leases and history
 * @param handsBack works on nothing, and gives the accounts back to the version with one app (hand-back.ts)
 */
export function createRotation(
  ports: RotationPorts,
  resources: readonly Resource[],
  instance: string,
  pace: Pace,
  handsBack = false,
): KeyRotation {
  const targets = targetsOf(ports, resources);
  let runs = 0;
  const newDriver = (): string => {
    runs += 1;
    return `${instance}/${runs}`;
  };
  /** The first resource for which the last tick had no time. */
  let firstPostponed = '';

  async function tick(): Promise<TickReport> {
    const driver = newDriver();
    const endMs = ports.elapsedMs() + TICK_MS;
    if (handsBack) return handBackAll();
    const all = await readAll(ports);
    const throttled = new Set<string>();
    const steps: Advance[] = [];
    const unreachable: string[] = [];
    const postponed: string[] = [];
    const bugs: unknown[] = [];
    let waiting = 0;

    await inParallel(inOrder(targets, all, firstPostponed), async (target) => {
      const subscription = subscriptionOf(target.resource.accountId);
      const noMore = (): boolean => throttled.has(subscription) || ports.elapsedMs() > endMs;
      try {
        if (!noMore()) await pace(subscription);
        if (noMore()) {
          postponed.push(target.name);
          return;
        }
        const done = await advance(ports, target, await settled(all, target, driver), driver);
        if (done.did === 'wait') waiting += 1;
        else steps.push(done);
      } catch (error) {
        // A bug that one resource meets must not stop the others. It is thrown when they are done.
        if (!(error instanceof UpstreamFailure)) bugs.push(error);
        else {
          if (error.service === 'arm' && error.status === 429) throttled.add(subscription);
          ports.log('rotation_unreachable', { resource: target.name, problem: error.message });
        }
        unreachable.push(target.name);
      }
    });
    firstPostponed = postponed[0] ?? '';
    report(all);
    if (bugs.length > 0) throw bugs[0];
    return { resources: targets.length, steps, waiting, unreachable, postponed: postponed.length };
  }

  /** The target's row before its step, with what earlier drivers may have left undone. */
  async function settled(all: AllRows, target: Target, driver: string): Promise<StoredRow> {
    const seen = seenIn(all, target);
    const row = await settledRow(ports, target, seen);
    if (seen.named !== undefined) await ports.published.remove(target.name);
    const { published } = seen;
    if (isHeld(row.lease, ports.clock()) || published === 'unreadable') return row;
    if (published === undefined || !isSame(published, shownRow(row, published)))
      await publish(ports, target.account);
    const isMarkable = published !== undefined && row.state.generation > 0;
    return isMarkable ? takeUp(ports, target, row, published.marks, driver) : row;
  }

  async function handBackAll(): Promise<TickReport> {
    const unreachable: string[] = [];
    let waiting = 0;
    await inParallel(targets, async (target) => {
      try {
        if (!(await handBackOne(ports, target))) waiting += 1;
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error;
        ports.log('rotation_unreachable', { resource: target.name, problem: error.message });
        unreachable.push(target.name);
      }
    });
    const left = waiting + unreachable.length;
    ports.log('rotation_handed_back', { resources: targets.length, left });
    return { resources: targets.length, steps: [], waiting, unreachable, postponed: 0 };
  }

  function overdueIn(all: AllRows): string[] {
    const nowMs = ports.clock();
    return targets
      .filter((target) => {
        const row = rowIn(seenIn(all, target));
        return typeof row === 'object' && isOverdue(target, row, nowMs);
      })
      .map(({ name }) => name);
  }

  function ofUnknownAgeIn(all: AllRows): string[] {
    return targets
      .filter((target) => {
        const row = rowIn(seenIn(all, target)) ?? unseen(target.account, ports.clock());
        return typeof row === 'object' && !hasNoKeys(row.state) && hasKeyOfUnknownAge(target, row);
      })
      .map(({ name }) => name);
  }

  /** Logs what the alerts of infra/alerts.bicep look for, in every tick while it lasts. */
  function report(all: AllRows): void {
    for (const resource of overdueIn(all)) ports.log('rotation_overdue', { resource });
    for (const target of targets) {
      const row = rowIn(seenIn(all, target));
      if (typeof row !== 'object' || !isStuck(row.state)) continue;
      const { work, blocked } = row.state;
      const problem = blocked ?? work?.problem;
      ports.log('rotation_stuck', { resource: target.name, problem: problem && said(problem) });
    }
  }

  return {
    tick,
    ...createDemands(ports, handsBack ? [] : targets, newDriver, pace),
    plan: async () => {
      const all = await readAll(ports);
      const plans = new Map<string, Plan>();
      await inParallel(targets, async (target) => {
        await pace(subscriptionOf(target.resource.accountId));
        const row = rowIn(seenIn(all, target)) ?? unseen(target.account, ports.clock());
        plans.set(target.name, await planOne(ports, target, row));
      });
      return targets.flatMap(({ name }) => plans.get(name) ?? []);
    },
    history: async (resource, most) => {
      const target = targets.find(({ name }) => name === resource);
      return target === undefined ? [] : historyOf(ports, target, most);
    },
    overdue: async () => {
      const all = await readAll(ports);
      return { overdue: overdueIn(all), ofUnknownAge: ofUnknownAgeIn(all) };
    },
  };
}

/** The resources that have a secret and rotation settings in the policy, and whose keys can be tried. */
function targetsOf({ proof, log }: RotationPorts, resources: readonly Resource[]): Target[] {
  return resources.flatMap((resource) => {
    const { name, secret, rotation } = resource;
    if (secret === undefined || rotation === undefined) return [];
    const account = accountKey(resource.accountId);
    if (proof.covers(resource)) return [{ name, account, resource, secret, rotation }];
    log('rotation_not_covered', { resource: name, kind: resource.kind });
    return [];
  });
}

/** Rotations under way come first, then the others. Both begin where the last tick ran out of time. */
function inOrder(targets: readonly Target[], all: AllRows, first: string): Target[] {
  const isWorking = (target: Target): boolean => {
    const row = rowIn(seenIn(all, target));
    return typeof row === 'object' && row.state.work !== undefined;
  };
  const from = Math.max(
    0,
    targets.findIndex(({ name }) => name === first),
  );
  const turned = [...targets.slice(from), ...targets.slice(0, from)];
  return [...turned.filter(isWorking), ...turned.filter((target) => !isWorking(target))];
}

async function inParallel<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const work = async (): Promise<void> => {
    for (const item of waiting) await run(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

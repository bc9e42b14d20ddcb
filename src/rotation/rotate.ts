/** The rotation of all resources: the tick of the timer, the plan, and what a health check asks. */
import { accountKey } from '../account-key.ts';
import type { Resource } from '../policy/schema.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Advance, advance } from './advance.ts';
import { createDemands, type Demands } from './demand.ts';
import { type Pace, subscriptionOf } from './pace.ts';
import { hasKeyOfUnknownAge, historyOf, isOverdue, type Plan, planOne } from './plan.ts';
import type { RotationPorts, Rows, Target } from './ports.ts';
import { said } from './problem.ts';
import { hasNoKeys } from './retire.ts';
import { isStuck } from './retry.ts';
import { rowIn, settleRow } from './row.ts';
import { type HistoryEntry, unseen } from './state.ts';

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

/** @param instance names this process in leases and history */
export function createRotation(
  ports: RotationPorts,
  resources: readonly Resource[],
  instance: string,
  pace: Pace,
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
    const rows = await ports.store.all();
    const throttled = new Set<string>();
    const steps: Advance[] = [];
    const unreachable: string[] = [];
    const postponed: string[] = [];
    const bugs: unknown[] = [];
    let waiting = 0;

    await inParallel(inOrder(targets, rows, firstPostponed), async (target) => {
      const subscription = subscriptionOf(target.resource.accountId);
      const noMore = (): boolean => throttled.has(subscription) || ports.elapsedMs() > endMs;
      try {
        if (!noMore()) await pace(subscription);
        if (noMore()) {
          postponed.push(target.name);
          return;
        }
        const done = await advance(ports, target, await settled(rows, target), driver);
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
    report(rows);
    if (bugs.length > 0) throw bugs[0];
    return { resources: targets.length, steps, waiting, unreachable, postponed: postponed.length };
  }

  /** If a driver died while it moved a row (row.ts), both rows exist. Then the old one is removed here. */
  async function settled(rows: Rows, target: Target) {
    if (rows.has(target.account) && rows.has(target.name)) await ports.store.remove(target.name);
    return settleRow(ports, target, rowIn(rows, target));
  }

  function overdueIn(rows: Rows): string[] {
    const nowMs = ports.clock();
    return targets
      .filter((target) => {
        const row = rowIn(rows, target);
        return typeof row === 'object' && isOverdue(target, row, nowMs);
      })
      .map(({ name }) => name);
  }

  function ofUnknownAgeIn(rows: Rows): string[] {
    return targets
      .filter((target) => {
        const row = rowIn(rows, target) ?? unseen(target.account, ports.clock());
        return typeof row === 'object' && !hasNoKeys(row.state) && hasKeyOfUnknownAge(target, row);
      })
      .map(({ name }) => name);
  }

  /** Logs what the alerts of infra/alerts.bicep look for, in every tick while it lasts. */
  function report(rows: Rows): void {
    for (const resource of overdueIn(rows)) ports.log('rotation_overdue', { resource });
    for (const target of targets) {
      const row = rowIn(rows, target);
      if (typeof row !== 'object' || !isStuck(row.state)) continue;
      const { work, blocked } = row.state;
      const problem = blocked ?? work?.problem;
      ports.log('rotation_stuck', { resource: target.name, problem: problem && said(problem) });
    }
  }

  return {
    tick,
    ...createDemands(ports, targets, newDriver, pace),
    plan: async () => {
      const rows = await ports.store.all();
      const plans = new Map<string, Plan>();
      await inParallel(targets, async (target) => {
        await pace(subscriptionOf(target.resource.accountId));
        const row = rowIn(rows, target) ?? unseen(target.account, ports.clock());
        plans.set(target.name, await planOne(ports, target, row));
      });
      return targets.flatMap(({ name }) => plans.get(name) ?? []);
    },
    history: async (resource, most) => {
      const target = targets.find(({ name }) => name === resource);
      return target === undefined ? [] : historyOf(ports, target, most);
    },
    overdue: async () => {
      const rows = await ports.store.all();
      return { overdue: overdueIn(rows), ofUnknownAge: ofUnknownAgeIn(rows) };
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
function inOrder(targets: readonly Target[], rows: Rows, first: string): Target[] {
  const isWorking = (target: Target): boolean => {
    const row = rowIn(rows, target);
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

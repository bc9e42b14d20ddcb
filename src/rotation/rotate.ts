/** The rotation of all resources: the tick of the timer, and what events and operators ask for. */
import { accountKey } from '../account-key.ts';
import type { Resource } from '../policy/schema.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Advance, advance } from './advance.ts';
import { createDemands, type Demands } from './demand.ts';
import { type Pace, subscriptionOf } from './pace.ts';
import { hasKeyOfUnknownAge, historyOf, isOverdue, type Plan, planOne } from './plan.ts';
import type { RotationPorts, Rows, Target } from './ports.ts';
import { said } from './problem.ts';
import { isStuck } from './progress.ts';
import { hasNoKeys } from './retire.ts';
import { rowIn, settleRow } from './row.ts';
import { type HistoryEntry, unseen } from './state.ts';

export interface TickReport {
  readonly resources: number;
  /** Steps that were made. */
  readonly steps: readonly Advance[];
  readonly waiting: number;
  /** Could not be seen or written down; the next tick tries again. */
  readonly unreachable: readonly string[];
  /** Left to the next tick: no time, or Azure asked to slow down. */
  readonly postponed: number;
}

export interface KeyRotation extends Demands {
  tick(): Promise<TickReport>;
  plan(): Promise<readonly Plan[]>;
  history(resource: string, most: number): Promise<readonly HistoryEntry[]>;
  /** One query, for a health check: an overdue rotation is noticed on any path. */
  overdue(): Promise<Overdue>;
}

/** Resources, by their names. */
export interface Overdue {
  readonly overdue: readonly string[];
  /** With a key whose making nobody saw: it may be of any age. */
  readonly ofUnknownAge: readonly string[];
}

/** Resources looked at at once. */
const PARALLEL = 16;
/** Nothing is begun later than this in a tick: the host ends a function after five minutes. Wall time. */
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
  /** The first resource the last tick had no time for. */
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
        // A bug in one resource's way must not stop the others; it is thrown when they are done.
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

  /** A driver that died between carrying a row over and removing the old one left both. */
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

  /** What the alerts of infra/alerts.bicep wait for, said again in every tick while it lasts. */
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

/** What has a secret and says how it is rotated, and whose keys can be proved. */
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

/** Rotations under way first, then the others, beginning where the last tick ran out of time. */
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

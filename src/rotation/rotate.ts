/** The rotation of all resources: the tick of the timer, and the plan that it leaves for people. */
import { accountKey } from '../account-key.ts';
import type { Resource } from '../policy/schema.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type Advance, advance } from './advance.ts';
import { takeUp } from './ask.ts';
import { createDemands, type Demands } from './demand.ts';
import { handBackOne, isInEmergency, whileHandingBack } from './hand-back.ts';
import { isHeld } from './lease.ts';
import { inOrder } from './order.ts';
import { type Pace, subscriptionOf } from './pace.ts';
import { withPause } from './pause.ts';
import { isOverdue, notCovered, planOf, planOne, unreadable, unseenBecause } from './plan.ts';
import type { PlanRow } from './plan-row.ts';
import type { RotationPorts, Target } from './ports.ts';
import { said } from './problem.ts';
import { isSame, publish, shownRow } from './publish.ts';
import { isStuck } from './retry.ts';
import { type AllRows, readAll, rowIn, seenIn, settledRow } from './row.ts';
import { type StoredRow, unseen } from './state.ts';

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
  /** @param sinceMs when the timer's function began, by `elapsedMs`; absent: now */
  tick(sinceMs?: number): Promise<TickReport>;
  /** Looks at the resource anew, and leaves its plan for people. */
  tellPlan(resource: string): Promise<void>;
}

/** How many resources are worked on at the same time. */
const PARALLEL = 16;
/** A tick starts no step later than this after the timer's function began: the host ends it after five minutes. */
const TICK_MS = 240_000;

/**
 * @param instance names this process in leases and history
 * @param handsBack begins nothing but an operator's emergency, and gives the accounts back to the version with one app (hand-back.ts)
 */
export function createRotation(
  ports: RotationPorts,
  resources: readonly Resource[],
  instance: string,
  pace: Pace,
  handsBack = false,
): KeyRotation {
  const rotated = targetsOf(resources);
  const targets = rotated.filter(({ resource }) => ports.proof.covers(resource));
  const uncovered = rotated.filter((target) => !targets.includes(target));
  for (const { name, resource } of uncovered)
    ports.log('rotation_not_covered', { resource: name, kind: resource.kind });
  let runs = 0;
  const newDriver = (): string => {
    runs += 1;
    return `${instance}/${runs}`;
  };
  async function tick(sinceMs = ports.elapsedMs()): Promise<TickReport> {
    const driver = newDriver();
    const endMs = sinceMs + TICK_MS;
    const [all, pauses, lookedAtMs] = await Promise.all([readAll(ports), ports.pauses.all(), lookedAt()]);
    const throttled = new Set<string>();
    const steps: Advance[] = [];
    const unreachable: string[] = [];
    let postponed = 0;
    const bugs: unknown[] = [];
    const plans: PlanRow[] = uncovered.map((target) => notCovered(target, ports.clock()));
    let waiting = 0;
    let handedBackCount = 0;

    const asSaid = targets.map((target) => withPause(target, pauses));
    await inParallel(inOrder(asSaid, all, lookedAtMs, ports.clock(), handsBack), async (target) => {
      const subscription = subscriptionOf(target.resource.accountId);
      const noMore = (): boolean => throttled.has(subscription) || ports.elapsedMs() > endMs;
      try {
        if (!noMore()) await pace(subscription);
        if (noMore()) {
          postponed += 1;
          return;
        }
        const given = handsBack ? await handedBack(all, target) : undefined;
        if (given !== undefined) {
          if (given) handedBackCount += 1;
          waiting += 1;
          return;
        }
        const row = await settled(all, target, driver);
        const done = await ports.within(undefined, target.name, () => advance(ports, target, row, driver));
        if (done.did === 'wait') waiting += 1;
        else steps.push(done);
        const next = done.did === 'wait' ? done.why : 'goes on with the next tick';
        const { after = row.state, untilMs, seen } = done;
        plans.push(planOf(target, after, { next, untilMs, seen }, ports.clock()));
      } catch (error) {
        // A bug that one resource meets must not stop the others. It is thrown when they are done.
        if (!(error instanceof UpstreamFailure)) bugs.push(error);
        else {
          if (error.service === 'arm' && error.status === 429) throttled.add(subscription);
          ports.log('rotation_unreachable', { resource: target.name, problem: error.message });
          plans.push(unseenPlan(target, rowIn(seenIn(all, target)), error));
        }
        unreachable.push(target.name);
      }
    });
    report(all, asSaid);
    const left = targets.length - handedBackCount;
    if (handsBack) ports.log('rotation_handed_back', { resources: targets.length, left });
    await keepPlans(async () => plans);
    if (bugs.length > 0) throw bugs[0];
    return { resources: targets.length, steps, waiting, unreachable, postponed };
  }

  /** The target's row before its step, with what earlier drivers may have left undone. */
  async function settled(all: AllRows, target: Target, driver: string): Promise<StoredRow> {
    const seen = seenIn(all, target);
    const row = await settledRow(ports, target, seen);
    if (seen.named !== undefined) await ports.published.remove(target.name);
    const { published } = seen;
    if (isHeld(row.lease, ports.clock())) return row;
    if (published === 'unreadable') {
      await publish(ports, target.account);
      return row;
    }
    if (published === undefined || !isSame(published, shownRow(row, published)))
      await publish(ports, target.account);
    const isMarkable = published !== undefined && row.state.generation > 0;
    return isMarkable ? takeUp(ports, target, row, published.marks, driver) : row;
  }

  /** Whether it is handed back now; undefined: first it is rotated to the end of an operator's emergency. */
  async function handedBack(all: AllRows, target: Target): Promise<boolean | undefined> {
    const { machine, published } = seenIn(all, target);
    const isMoved = typeof machine === 'object' && typeof published === 'object' && published.moved;
    return isMoved && isInEmergency(machine, published) ? undefined : handBackOne(ports, target);
  }

  function overdueIn(all: AllRows, asSaid: readonly Target[]): string[] {
    const nowMs = ports.clock();
    return asSaid
      .filter((target) => {
        const row = rowIn(seenIn(all, target));
        return typeof row === 'object' && isOverdue(target, row, nowMs);
      })
      .map(({ name }) => name);
  }

  function unseenPlan(target: Target, row: ReturnType<typeof rowIn>, error: UpstreamFailure): PlanRow {
    const nowMs = ports.clock();
    if (row === 'unreadable') return unreadable(target, nowMs);
    return planOf(target, (row ?? unseen(target.account, nowMs)).state, unseenBecause(error), nowMs);
  }

  /** Decides only who comes first, so a rotation never fails because of it. */
  async function lookedAt(): Promise<ReadonlyMap<string, number>> {
    try {
      return await ports.plans.lookedAtMs();
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      ports.log('rotation_plan_not_read', { problem: error.message });
      return new Map();
    }
  }

  /** The plan is for people only, so a rotation never fails because of it. */
  async function keepPlans(plans: () => Promise<readonly PlanRow[]>): Promise<void> {
    try {
      await ports.plans.write(await plans());
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      ports.log('rotation_plan_not_written', { problem: error.message });
    }
  }

  /** Logs what the alerts of infra/alerts.bicep look for, in every tick while it lasts. */
  function report(all: AllRows, asSaid: readonly Target[]): void {
    for (const resource of overdueIn(all, asSaid)) ports.log('rotation_overdue', { resource });
    for (const target of targets) {
      const row = rowIn(seenIn(all, target));
      if (typeof row !== 'object' || !isStuck(row.state)) continue;
      const { work, blocked } = row.state;
      const problem = blocked ?? work?.problem;
      ports.log('rotation_stuck', { resource: target.name, problem: problem && said(problem) });
    }
  }

  const demands = createDemands(ports, targets, newDriver, pace);
  return {
    tick,
    ...(handsBack ? whileHandingBack(ports, demands, targets) : demands),
    tellPlan: async (resource) => {
      const target = targets.find(({ name }) => name === resource);
      if (target === undefined) return;
      await keepPlans(async () => {
        const told = withPause(target, await ports.pauses.all());
        await pace(subscriptionOf(target.resource.accountId));
        const row = rowIn(seenIn(await readAll(ports), told)) ?? unseen(told.account, ports.clock());
        return [await planOne(ports, told, row)];
      });
    },
  };
}

/** The resources that have a secret and rotation settings in the policy. */
function targetsOf(resources: readonly Resource[]): Target[] {
  return resources.flatMap((resource) => {
    const { name, secret, rotation } = resource;
    if (secret === undefined || rotation === undefined) return [];
    return [{ name, account: accountKey(resource.accountId), resource, secret, rotation }];
  });
}

async function inParallel<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const work = async (): Promise<void> => {
    for (const item of waiting) await run(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

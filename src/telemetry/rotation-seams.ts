/** As seams.ts, for the ports of the rotator's root. */
import { accounts, type Plan } from './accounts.ts';
import { measure } from './meters.ts';
import { isOn } from './start.ts';
import { spanOf } from './trace.ts';

/** The work on a resource, or one step of it: a span. Steps are counted by account; `heal` is among them. */
export function rotationSpan<T>(
  step: string | undefined,
  resource: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!isOn()) return work();
  const about = { 'broker.resource': resource, 'broker.rotation.step': step };
  if (step !== undefined) measure(({ steps }) => steps.add(1, about));
  return spanOf(step ?? resource, about, work);
}

/** The plans of a tick, as they are written. */
export function watchedPlans<Row extends Plan>(
  write: (plans: readonly Row[]) => Promise<void>,
): (plans: readonly Row[]) => Promise<void> {
  if (!isOn()) return write;
  return (plans) => {
    for (const plan of plans) accounts.plans.set(plan.resource, plan);
    return write(plans);
  };
}

/** What is measured of an entry of the history (rotation/state.ts). */
interface Entry {
  readonly account: string;
  readonly fence: number;
  readonly to: string;
  readonly newKeyLagMs?: number | undefined;
  readonly oldKeyLagMs?: number | undefined;
}

/** The history of rotations, as it is written: how long each new key took to count, and each old one to be refused. */
export function measuredHistory<One extends Entry>(
  record: (entry: One) => Promise<void>,
): (entry: One) => Promise<void> {
  if (!isOn()) return record;
  /** A driver writes the last entry once more before its step, in case the one before it has died. */
  const measured = new Map<string, number>();
  return (entry) => {
    if (measured.get(entry.account) === entry.fence) return record(entry);
    measured.set(entry.account, entry.fence);
    // The lags stay in the row while the new key is proved; the entry that leaves that phase has them whole.
    if (!entry.to.startsWith('proving')) {
      measureLag(entry, 'new', entry.newKeyLagMs);
      measureLag(entry, 'old', entry.oldKeyLagMs);
    }
    return record(entry);
  };
}

function measureLag({ account }: Entry, key: 'new' | 'old', lagMs: number | undefined): void {
  if (lagMs === undefined) return;
  // The last part of the key is the account's own name.
  const labels = { 'broker.account': account.slice(account.lastIndexOf(':') + 1), 'broker.key': key };
  measure(({ propagation }) => propagation.record(lagMs / 1000, labels));
}

/** How far the closing of the audit is behind. */
export function closingLag(minutes: number): void {
  accounts.closingLagMinutes = minutes;
}

/** The plan, for people: the state of each rotation, what happens next and when, what blocks it. It changes nothing. */
import type { Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { inWords, rulesOf } from './advance.ts';
import { bornAtMs, dueAtMs, overdueAtMs } from './due.ts';
import { isHeld } from './lease.ts';
import { observe } from './observe.ts';
import type { RotationPorts, Target } from './ports.ts';
import { advice, type Problem, problemOf, said } from './problem.ts';
import { hasNoKeys, next } from './retire.ts';
import { isStuck } from './retry.ts';
import type { HistoryEntry, RotationState, StoredRow } from './state.ts';

/** The plan of one resource, as the operator API returns it and as `npm run rotation -- plan` prints it. */
export interface Plan {
  readonly resource: string;
  readonly state: string;
  /** What the next tick does, or what it waits for. */
  readonly next: string;
  /** When that is, RFC 3339; absent: with the next tick. */
  readonly at?: string | undefined;
  /** Why the rotation does not go on. */
  readonly blocked?: string | undefined;
  /** The kind of that problem: the runbook (infra/README.md) has a heading for each. */
  readonly code?: Problem['code'] | undefined;
  /** What a person should do. */
  readonly todo?: string | undefined;
  /** Absent where no rotation was seen, or the row cannot be read. */
  readonly rotatedAt?: string | undefined;
  /** When each slot's key was made, RFC 3339; absent where the row cannot be read. */
  readonly keysBornAt?: Readonly<Record<Slot, string | 'unknown'>> | undefined;
  readonly dueAt?: string | undefined;
  readonly overdue: boolean;
  /** The last steps that were made, the newest first. */
  readonly steps: readonly StepDone[];
}
export interface StepDone {
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
  /** How long the rotation was in the phase `from`. */
  readonly tookSeconds: number;
  readonly by: string;
  readonly emergency?: true | undefined;
  /** From the regenerate until the new key was seen accepted, and the old one refused. */
  readonly newKeyLagSeconds?: number | undefined;
  readonly oldKeyLagSeconds?: number | undefined;
}

const STEPS_SHOWN = 20;

/** If ARM or the vault cannot be read, the plan says so and shows the rest. @throws UpstreamFailure for the tables */
export async function planOne(
  ports: RotationPorts,
  target: Target,
  row: StoredRow | 'unreadable',
): Promise<Plan> {
  if (row === 'unreadable') return unreadable(target);
  const { state, lease } = row;
  const { work } = state;
  const stuck = isStuck(state);
  const problem = state.blocked ?? work?.problem;
  const nowMs = ports.clock();
  const known = {
    resource: target.name,
    state: stuck ? `stuck: ${inWords(state)}` : inWords(state),
    todo: stuck ? problem && advice(problem) : undefined,
    rotatedAt: state.rotatedAtMs === undefined ? undefined : iso(state.rotatedAtMs),
    keysBornAt: { Key1: bornAt(target, state, 'Key1'), Key2: bornAt(target, state, 'Key2') },
    dueAt: iso(dueAtMs(target.name, target.rotation, state)),
    overdue: isOverdue(target, row, nowMs),
    steps: (await historyOf(ports, target, STEPS_SHOWN)).map(stepDone),
  };
  try {
    const { evidence } = await observe(ports, target, state);
    const step = next(state, evidence, rulesOf(target, state, evidence.nowMs));
    const untilMs = step.do === 'wait' ? step.untilMs : undefined;
    const driven = isHeld(lease, nowMs) ? `driver ${lease.holder} is at it` : undefined;
    return {
      ...known,
      next: step.why,
      at: untilMs === undefined ? undefined : iso(untilMs),
      blocked: driven ?? (problem && said(problem)),
      code: driven === undefined ? problem?.code : undefined,
    };
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error;
    return {
      ...known,
      next: 'waits until everything can be seen',
      blocked: error.message,
      code: problemOf(error).code,
    };
  }
}

function unreadable({ name: resource, account }: Target): Plan {
  return {
    resource,
    state: 'unreadable',
    next: 'nothing, until its row can be read',
    blocked: `somebody edited the row of ${resource}`,
    todo: `put row rotation/${account} of tables rotation and state back as it was, or delete it: it is made again from the other`,
    overdue: false,
    steps: [],
  };
}

/** The newest first. Entries of older versions are kept under the resource's name, and come after the others. */
export async function historyOf(
  { store }: RotationPorts,
  { account, name }: Target,
  most: number,
): Promise<readonly HistoryEntry[]> {
  const found = await store.history(account, most);
  return found.length < most ? [...found, ...(await store.history(name, most - found.length))] : found;
}

function stepDone(entry: HistoryEntry): StepDone {
  const { from, to, why, by, newKeyLagMs, oldKeyLagMs } = entry;
  return {
    at: iso(entry.atMs),
    from,
    to,
    why,
    tookSeconds: Math.round(entry.tookMs / 1000),
    by,
    ...(entry.emergency ? { emergency: true } : {}),
    ...(newKeyLagMs === undefined ? {} : { newKeyLagSeconds: Math.round(newKeyLagMs / 1000) }),
    ...(oldKeyLagMs === undefined ? {} : { oldKeyLagSeconds: Math.round(oldKeyLagMs / 1000) }),
  };
}

/** True when the rotation should be over by now. Needs only the row, so it also works when the timer has stopped. */
export function isOverdue({ name, rotation }: Target, { state }: StoredRow, nowMs: number): boolean {
  return !rotation.paused && !hasNoKeys(state) && nowMs > overdueAtMs(name, rotation, state);
}

/** True also for an account that is not adopted yet, or whose keys cannot be listed: such keys may be old. */
export function hasKeyOfUnknownAge({ rotation }: Target, { state }: StoredRow): boolean {
  return (['Key1', 'Key2'] as const).some((slot) => bornAtMs(rotation, state, slot) === undefined);
}

function bornAt({ rotation }: Target, state: RotationState, slot: Slot): string {
  const ms = bornAtMs(rotation, state, slot);
  return ms === undefined ? 'unknown' : iso(ms);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The plan, for people: the state of each rotation, what happens next and when, what blocks it. It changes nothing. */
import { iso } from '../iso.ts';
import type { Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { inWords, rulesOf } from './advance.ts';
import { bornAtMs, dueAtMs, overdueAtMs } from './due.ts';
import { isHeld } from './lease.ts';
import { observe } from './observe.ts';
import type { PlanRow, SlotPlan } from './plan-row.ts';
import type { RotationPorts, Target } from './ports.ts';
import { advice, problemOf, said } from './problem.ts';
import { hasNoKeys, next } from './retire.ts';
import { isStuck } from './retry.ts';
import type { Evidence, RotationState, StoredRow } from './state.ts';

/** What comes next, and when; without a time, with the next tick. */
export interface Next {
  readonly next: string;
  readonly untilMs?: number | undefined;
  /** Why it does not go on, where the row itself does not say so. */
  readonly blocked?: string | undefined;
  /** The kind of that: the runbook (infra/README.md) has a heading for each. */
  readonly code?: PlanRow['code'] | undefined;
  /** What to do about it. */
  readonly todo?: string | undefined;
  /** What the last look saw; the state alone does not have the fingerprints. */
  readonly seen?: Pick<Evidence, 'keys' | 'tokensLiveUntilMs'> | undefined;
}

/** The plan of a row for which somebody has decided what comes next. */
export function planOf(
  target: Target,
  state: RotationState,
  { next, untilMs, blocked, code, todo, seen }: Next,
  nowMs: number,
): PlanRow {
  const stuck = isStuck(state);
  const problem = state.blocked ?? state.work?.problem;
  return {
    account: target.account,
    resource: target.name,
    asOf: iso(nowMs),
    state: stuck ? `stuck: ${inWords(state)}` : inWords(state),
    phase: phaseOf(state),
    active: state.generation === 0 ? undefined : state.active,
    slots: SLOTS.map((slot) => slotPlan(target, state, slot, seen)),
    stuck,
    next,
    at: untilMs === undefined ? undefined : iso(untilMs),
    blocked: blocked ?? (problem && said(problem)),
    code: blocked === undefined ? problem?.code : code,
    todo: blocked === undefined ? problem && advice(problem) : todo,
    rotatedAt: state.rotatedAtMs === undefined ? undefined : iso(state.rotatedAtMs),
    dueAt: iso(dueAtMs(target.name, target.rotation, state)),
    overdueAt: mayBeOverdue(target, state)
      ? iso(overdueAtMs(target.name, target.rotation, state))
      : undefined,
    hasKeyOfUnknownAge: !hasNoKeys(state) && hasKeyOfUnknownAge(target, state),
  };
}

/** Looks itself at what is there. If ARM or the vault cannot be read, the plan says so and shows the rest. */
export async function planOne(
  ports: RotationPorts,
  target: Target,
  row: StoredRow | 'unreadable',
): Promise<PlanRow> {
  if (row === 'unreadable') return unreadable(target, ports.clock());
  const { state, lease } = row;
  const nowMs = ports.clock();
  try {
    const { evidence } = await observe(ports, target, state);
    const step = next(state, evidence, rulesOf(target, state, evidence.nowMs));
    const untilMs = step.do === 'wait' ? step.untilMs : undefined;
    const held = isHeld(lease, nowMs)
      ? ({
          blocked: `driver ${lease.holder} is at it`,
          code: 'busy',
          todo: 'nothing: it goes on when that driver is done',
        } as const)
      : {};
    return planOf(target, state, { next: step.why, untilMs, ...held, seen: evidence }, nowMs);
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error;
    return planOf(target, state, unseenBecause(error), nowMs);
  }
}

export function unseenBecause(error: UpstreamFailure): Next {
  const problem = problemOf(error);
  return {
    next: 'waits until everything can be seen',
    blocked: error.message,
    code: problem.code,
    todo: advice(problem),
  };
}

export function unreadable({ name: resource, account }: Target, nowMs: number): PlanRow {
  return {
    account,
    resource,
    asOf: iso(nowMs),
    state: 'unreadable',
    next: 'nothing, until its row can be read',
    blocked: `somebody edited the row of ${resource}`,
    code: 'row_unreadable',
    todo: `put row rotation/${account} of tables rotation and state back as it was, or delete it: it is made again from the other`,
    hasKeyOfUnknownAge: false,
  };
}

/** Whether a key of such an account is accepted cannot be tried, so none is changed. */
export function notCovered({ name, account, resource }: Target, nowMs: number): PlanRow {
  return {
    account,
    resource: name,
    asOf: iso(nowMs),
    state: 'not rotated',
    next: 'nothing',
    blocked: `no way is known to try the keys of an account of kind ${resource.kind}`,
    code: 'kind_not_covered',
    todo: 'take the rotation of this resource out of the policy, and rotate its keys by hand',
    hasKeyOfUnknownAge: false,
  };
}

/** True when the rotation should be over by now. */
export function isOverdue(target: Target, { state }: StoredRow, nowMs: number): boolean {
  return mayBeOverdue(target, state) && nowMs > overdueAtMs(target.name, target.rotation, state);
}

function mayBeOverdue({ rotation }: Target, state: RotationState): boolean {
  return !rotation.paused && !hasNoKeys(state);
}

/** True also for an account that is not adopted yet: its keys may be old. */
function hasKeyOfUnknownAge({ rotation }: Target, state: RotationState): boolean {
  return (['Key1', 'Key2'] as const).some((slot) => bornAtMs(rotation, state, slot) === undefined);
}

const SLOTS = ['Key1', 'Key2'] as const;

function phaseOf({ work, healing, generation }: RotationState): PlanRow['phase'] {
  if (healing !== undefined) return 'healing';
  if (work !== undefined) return work.phase.name;
  return generation === 0 ? undefined : 'steady';
}

function slotPlan({ rotation }: Target, state: RotationState, slot: Slot, seen: Next['seen']): SlotPlan {
  const since = bornAtMs(rotation, state, slot);
  const isDraining = state.work?.slot === slot && state.work.phase.name === 'draining';
  const tokensUntilMs = isDraining ? (seen?.tokensLiveUntilMs ?? 0) : 0;
  return {
    slot,
    state: slotState(state, slot),
    fingerprint: typeof seen?.keys === 'object' ? seen.keys[slot] : undefined,
    since: since === undefined ? undefined : iso(since),
    tokensUntil: tokensUntilMs === 0 ? undefined : iso(tokensUntilMs),
  };
}

function slotState({ generation, active, work }: RotationState, slot: Slot): SlotPlan['state'] {
  if (generation === 0) return 'unknown';
  if (active === slot) return 'active';
  return work?.slot === slot ? 'retiring' : 'spare';
}

/** What would happen next, when, and what blocks it: for people. Looks at everything, changes nothing. */
import { inWords, rulesOf } from './advance.ts';
import { dueAtMs, overdueAtMs } from './due.ts';
import { isHeld } from './lease.ts';
import { observe } from './observe.ts';
import type { RotationPorts, Target } from './ports.ts';
import { TRIES } from './progress.ts';
import { next } from './retire.ts';
import type { StoredRow } from './state.ts';

export interface Plan {
  readonly resource: string;
  readonly state: string;
  /** What the next tick does, or what it waits for. */
  readonly next: string;
  /** RFC 3339; absent: with the next tick. */
  readonly at?: string | undefined;
  /** Why nothing goes on. */
  readonly blocked?: string | undefined;
  /** What a person should do. */
  readonly todo?: string | undefined;
  readonly rotatedAt: string;
  readonly dueAt: string;
  readonly overdue: boolean;
}

/** @throws UpstreamFailure when account, vault or ledger cannot be seen */
export async function planOne(ports: RotationPorts, target: Target, row: StoredRow): Promise<Plan> {
  const { state, lease } = row;
  const { evidence } = await observe(ports, target, state);
  const step = next(state, evidence, rulesOf(target, state, evidence.nowMs));
  const untilMs = step.do === 'wait' ? step.untilMs : undefined;
  const { work } = state;
  const stuck = work !== undefined && work.attempts >= TRIES;
  return {
    resource: target.name,
    state: stuck ? `stuck: ${inWords(state)}` : inWords(state),
    next: step.why,
    at: untilMs === undefined ? undefined : iso(untilMs),
    blocked: isHeld(lease, evidence.nowMs)
      ? `driver ${lease.holder} is at it`
      : (work?.problem ?? state.blocked),
    todo: stuck ? adviceFor(work.problem ?? '') : undefined,
    rotatedAt: iso(state.rotatedAtMs),
    dueAt: iso(dueAtMs(target.name, target.rotation, state.rotatedAtMs)),
    overdue: isOverdue(target, row, evidence.nowMs),
  };
}

/** For any path that has the row at hand: the timer must have stopped, or the machine is stuck. */
export function isOverdue({ name, rotation }: Target, { state }: StoredRow, nowMs: number): boolean {
  return !rotation.paused && nowMs > overdueAtMs(name, rotation, state.rotatedAtMs);
}

function adviceFor(problem: string): string {
  if (problem.includes('refused')) {
    return 'the key stays refused: check in the portal that keys are switched on and no network rule blocks the broker';
  }
  if (problem.includes('status 403') || problem.includes('forbidden')) {
    return "give the rotator identity its role back (infra/README.md, permissions); it goes on within the hour, or at once after 'rotate now'";
  }
  if (problem.includes('soft-deleted')) return 'recover the secret in the vault, or purge it';
  return "look at the service named in the problem; it goes on within the hour, or at once after 'rotate now'";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Which part of the time an account's time line shows. Pure. */
import type { Account, Step } from '../../wire.ts';
import type { Span } from './scale.ts';

const HOUR = 3_600_000;
/** Room at both ends, so that a mark at the edge is seen whole. */
const MARGIN = 0.04;

/** What goes on, or went on a short time ago; else from the birth of the keys until the next rotation is due. */
export function windowOf(account: Account, steps: readonly Step[], nowMs: number): Span {
  const run = lastRun(steps);
  return run !== undefined && (isMoving(account) || nowMs - run.toMs < HOUR)
    ? wide(run.fromMs, Math.max(nowMs, ahead(account, nowMs)))
    : period(account, steps, nowMs);
}

export const isMoving = ({ phase }: Account): boolean => phase !== undefined && phase !== 'steady';

/** Of the time to come so much as the account waits for, unless that is far away. */
function ahead({ next, slots = [], phase }: Account, nowMs: number): number {
  if (phase === 'steady') return 0;
  const ends = [next?.at, ...slots.map(({ tokensUntil }) => tokensUntil)].map((at) => Date.parse(at ?? ''));
  return Math.max(0, ...ends.filter((atMs) => atMs > nowMs && atMs - nowMs < HOUR));
}

function lastRun(steps: readonly Step[]): Span | undefined {
  const begun = steps.findIndex(({ from }) => from === 'steady' || from === 'not adopted');
  const [first, last] = [steps[begun === -1 ? steps.length - 1 : begun], steps[0]];
  return first && last && { fromMs: Date.parse(first.at), toMs: Date.parse(last.at) };
}

function period({ slots = [], dueAt }: Account, steps: readonly Step[], nowMs: number): Span {
  const known = [...slots.map(({ since }) => since), steps.at(-1)?.at].map((at) => Date.parse(at ?? ''));
  const fromMs = Math.min(nowMs - HOUR, ...known.filter((atMs) => !Number.isNaN(atMs)));
  return wide(fromMs, Math.max(nowMs, Date.parse(dueAt ?? '') || 0));
}

function wide(fromMs: number, toMs: number): Span {
  const marginMs = Math.max(60_000, (toMs - fromMs) * MARGIN);
  return { fromMs: fromMs - marginMs, toMs: toMs + marginMs };
}

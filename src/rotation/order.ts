/** In which order a tick looks at the accounts, since it may not have the time for all of them. Pure. */
import { afterBlackoutMs, dueAtMs } from './due.ts';
import { isHandedBack } from './lease.ts';
import type { Target } from './ports.ts';
import { markedSlots } from './publish.ts';
import { type AllRows, rowIn, seenIn } from './row.ts';

/**
 * Who was not looked at for so long is late. Half of a tick is for those, so that as many as two ticks of this time can
 * look at are all looked at within an hour, whatever else there is to do.
 */
export const LATE_MS = 30 * 60_000;

/**
 * Emergencies come first; then, in turn, one that is late and one that has something to do; then all others. Within
 * each, whoever was not looked at for the longest time comes first: so every account has its turn, also with a new
 * process at each tick.
 * @param lookedAtMs when each account was looked at last; whoever is missing never was
 * @param handsBack accounts are handed back, so one that was has nothing to do any more and comes last
 */
export function inOrder(
  targets: readonly Target[],
  all: AllRows,
  lookedAtMs: ReadonlyMap<string, number>,
  nowMs: number,
  handsBack: boolean,
): Target[] {
  const since = ({ account }: Target): number => lookedAtMs.get(account) ?? 0;
  const rankOf = (target: Target): Rank =>
    handsBack && isGivenBack(target, all)
      ? 'given back'
      : rank(target, all, nowMs, nowMs - since(target) > LATE_MS);
  const oldestFirst = targets
    .map((target) => ({ target, rank: rankOf(target) }))
    .sort((a, b) => since(a.target) - since(b.target));
  const ranked = (wanted: Rank): Target[] =>
    oldestFirst.filter(({ rank }) => rank === wanted).map(({ target }) => target);
  return [
    ...ranked('emergency'),
    ...inTurn(ranked('late'), ranked('busy')),
    ...ranked('quiet'),
    ...ranked('given back'),
  ];
}

type Rank = 'emergency' | 'late' | 'busy' | 'quiet' | 'given back';

function rank(target: Target, all: AllRows, nowMs: number, isLate: boolean): Rank {
  const seen = seenIn(all, target);
  const row = rowIn(seen);
  // A row that nobody can read has nothing to do either, until a person has put it right.
  if (row === undefined || row === 'unreadable') return isLate ? 'late' : 'quiet';
  const { published } = seen;
  const { state } = row;
  const isMarked = typeof published === 'object' && markedSlots(state, published.marks).length > 0;
  if (isMarked || state.work?.emergency === true) return 'emergency';
  if (isLate) return 'late';
  const { name, rotation } = target;
  const isDue =
    !rotation.paused && afterBlackoutMs(rotation, Math.max(nowMs, dueAtMs(name, rotation, state))) <= nowMs;
  return state.work !== undefined || state.healing !== undefined || isDue ? 'busy' : 'quiet';
}

function isGivenBack(target: Target, all: AllRows): boolean {
  const { machine, published } = seenIn(all, target);
  const isMoved = typeof published === 'object' && published.moved;
  return typeof machine === 'object' && isHandedBack(machine.lease) && !isMoved;
}

function inTurn<Item>(some: readonly Item[], others: readonly Item[]): Item[] {
  const most = Math.max(some.length, others.length);
  return Array.from({ length: most }, (_, index) => [
    ...some.slice(index, index + 1),
    ...others.slice(index, index + 1),
  ]).flat();
}

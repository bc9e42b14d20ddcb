/** What became of an operation. A rotation goes on in the rotator app, so its demand tells, and the history its steps. */
import type { Clock } from '../ports.ts';
import { asSeen, type Begun, type Kept, type Operation, type OperationBook } from './operation.ts';

export interface FollowDeps {
  readonly book: Pick<OperationBook, 'find' | 'list'>;
  readonly demand: (id: string) => Promise<Placed | undefined>;
  /** The steps of a resource's rotation since then, the oldest first. */
  readonly steps: (resource: string, sinceMs: number) => Promise<readonly RotationStep[]>;
  readonly clock: Clock;
}
/** What came of the demand, as the rotator app wrote it (demand/demand.ts). */
export interface Placed {
  readonly state: keyof typeof STATES;
  readonly why: string;
  readonly problem?: Operation['problem'];
  /** Absent while it is not over. */
  readonly endedAt?: string | undefined;
}
export interface RotationStep {
  readonly at: string;
  readonly what: string;
  readonly to: string;
  readonly newKeyLagMs?: number | undefined;
  readonly oldKeyLagMs?: number | undefined;
}
/** Each method may throw UpstreamFailure. */
export interface Follow {
  find(id: string): Promise<Operation | undefined>;
  /** The newest first, and only those before the operation `after`. */
  list(after: string | undefined, most: number): Promise<readonly Operation[]>;
}

/** A rotation costs two reads or three, and a page has a thousand operations at most. */
const AT_ONCE = 16;

export function createFollow({ book, demand, steps, clock }: FollowDeps): Follow {
  async function seen(kept: Kept): Promise<Operation> {
    const { begun } = kept;
    const placed = begun.act === 'rotate' ? await demand(begun.id) : undefined;
    if (placed === undefined) return asSeen(kept, clock());
    return ofDemand(begun, placed, await steps(begun.target, Date.parse(begun.at)));
  }
  return {
    async find(id) {
      const kept = await book.find(id);
      return kept && seen(kept);
    },
    async list(after, most) {
      const kept = await book.list(after, most);
      const found: Operation[] = [];
      for (let from = 0; from < kept.length; from += AT_ONCE)
        found.push(...(await Promise.all(kept.slice(from, from + AT_ONCE).map(seen))));
      return found;
    },
  };
}

const STATES = {
  waiting: 'running',
  running: 'running',
  begun: 'running',
  done: 'succeeded',
  superseded: 'superseded',
  notBegun: 'failed',
  failed: 'failed',
} as const satisfies Record<string, Operation['state']>;

/** Pure. @param steps since the beginning; those after the end belong to another rotation */
export function ofDemand(begun: Begun, demand: Placed, steps: readonly RotationStep[]): Operation {
  const { endedAt, why } = demand;
  const state = STATES[demand.state];
  const own = steps.filter(({ at }) => endedAt === undefined || at <= endedAt);
  const told = own.map(({ at, what, to }) => ({ at, what: `${to}: ${what}` }));
  const waits = state === 'running' && why !== '' ? [{ at: begun.at, what: why }] : [];
  return {
    ...begun,
    state,
    steps: [{ at: begun.at, what: 'asked for' }, ...(told.length === 0 ? waits : told)],
    ...(state === 'succeeded' && { result: lagsOf(own) }),
    ...(state === 'failed' && {
      problem: demand.problem ?? {
        code: demand.state === 'failed' ? 'failed' : 'not_begun',
        advice: why,
      },
    }),
  };
}

/** The longest that was measured, of all slots that were retired. */
function lagsOf(steps: readonly RotationStep[]): Record<string, number> {
  const longest = (name: 'newKeyLagMs' | 'oldKeyLagMs') => {
    const lags = steps.flatMap((step) => step[name] ?? []);
    return lags.length === 0 ? {} : { [name]: Math.max(...lags) };
  };
  return { ...longest('newKeyLagMs'), ...longest('oldKeyLagMs') };
}

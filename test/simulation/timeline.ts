/**
 * Virtual time: nothing happens but at a moment of the queue, and all that one moment sets off is over before
 * the next one comes. So a schedule runs the same way every time, however many processes it has.
 */
export interface Timeline {
  now(): number;
  at(ms: number, happen: () => void): void;
  sleep(ms: number): Promise<void>;
  /** Runs until nothing is left before this moment. */
  runUntil(ms: number): Promise<void>;
}

interface Moment {
  readonly ms: number;
  readonly order: number;
  readonly happen: () => void;
}

/** Turns of the event loop, for what is put off to the next one (src/coalesce.ts), twice if need be. */
const TURNS = 2;

export function createTimeline(startMs: number): Timeline {
  const heap: Moment[] = [];
  let nowMs = startMs;
  let order = 0;

  const at = (ms: number, happen: () => void): void => {
    order += 1;
    push(heap, { ms: Math.max(ms, nowMs), order, happen });
  };
  return {
    now: () => nowMs,
    at,
    sleep: (ms) => new Promise((resolve) => at(nowMs + ms, resolve)),
    runUntil: async (ms) => {
      for (let first = heap[0]; first !== undefined && first.ms <= ms; first = heap[0]) {
        pop(heap);
        nowMs = first.ms;
        first.happen();
        // What this moment settles is followed to its end before the next one.
        for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = ms;
    },
  };
}

function isBefore(one: Moment, other: Moment): boolean {
  return one.ms < other.ms || (one.ms === other.ms && one.order < other.order);
}

/** A binary heap: the earliest moment is the first. */
function push(heap: Moment[], moment: Moment): void {
  let place = heap.length;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(moment, above)) break;
    heap[place] = above;
    place = parent;
  }
  heap[place] = moment;
}

function pop(heap: Moment[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    const left = heap[2 * place + 1];
    const right = heap[2 * place + 2];
    const [child, below] =
      right !== undefined && left !== undefined && isBefore(right, left)
        ? [2 * place + 2, right]
        : [2 * place + 1, left];
    if (below === undefined || !isBefore(below, last)) break;
    heap[place] = below;
    place = child;
  }
  heap[place] = last;
}

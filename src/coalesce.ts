/** Limits of the runs of one `coalesce`. */
export interface RunLimits {
  /** So many runs are in progress at a time, at most. */
  readonly parallel?: number;
  /** So many items are in one run, at most. */
  readonly most?: number;
  /**
   * A run begins beside others only when so many milliseconds have passed since the last one began, and as many as
   * spread the runs evenly: with two at a time and calls of 20 ms, 10.
   */
  readonly apartMs?: number;
}

/**
 * For a call that everybody waits for: with a slow store, whoever comes while one call is under way does not wait for
 * its end before the next one begins. With a fast store, calls end sooner than that, and each serves as many as before.
 * Not more than two, because all instances share the 2,000 calls a second of one partition.
 */
export const OVERLAPPING = { parallel: 2, apartMs: 3 } as const satisfies RunLimits;

/**
 * Callers that wait at the same time share one run, but a caller never gets the result of a run that began before it
 * called. For a write this is a group commit; for a read, a shared read that is never stale. Runs that overlap may end
 * in any order.
 */
export function coalesce<Item, Result>(
  run: (items: readonly Item[]) => Promise<Result>,
  { parallel = 1, most = Number.POSITIVE_INFINITY, apartMs = 0 }: RunLimits = {},
): (item: Item) => Promise<Result> {
  interface Group {
    readonly items: Item[];
    readonly done: PromiseWithResolvers<Result>;
  }
  const waiting: Group[] = [];
  let running = 0;
  let scheduled = false;
  let isRecent = false;
  let tookMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const mayStart = (): boolean => running === 0 || (running < parallel && !isRecent);
  const begun = (): void => {
    running += 1;
    if (apartMs === 0 || parallel === 1) return;
    isRecent = true;
    clearTimeout(timer);
    timer = setTimeout(elapsed, Math.max(apartMs, tookMs / parallel));
  };
  const elapsed = (): void => {
    isRecent = false;
    schedule();
  };

  const start = (): void => {
    scheduled = false;
    while (mayStart()) {
      const group = waiting.shift();
      if (group === undefined) return;
      begun();
      const begunAtMs = performance.now();
      (async () => run(group.items))()
        .then(group.done.resolve, group.done.reject)
        .finally(() => {
          tookMs = performance.now() - begunAtMs;
          running -= 1;
          schedule();
        });
    }
  };
  // Waits one turn of the event loop, so that requests that arrive together share one run, and so that a busy process
  // first hears of the runs that have ended meanwhile.
  const schedule = (): void => {
    if (scheduled || waiting.length === 0 || !mayStart()) return;
    scheduled = true;
    setImmediate(start);
  };

  return (item) => {
    let group = waiting.at(-1);
    if (group === undefined || group.items.length >= most) {
      group = { items: [], done: Promise.withResolvers<Result>() };
      waiting.push(group);
    }
    group.items.push(item);
    schedule();
    return group.done.promise;
  };
}

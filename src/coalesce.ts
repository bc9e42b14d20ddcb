/**
 * Callers that wait at the same time share one run, but a caller never gets the result of a run that began before it
 * called. For a write this is a group commit; for a read, a shared read that is never stale. At most `parallel` runs
 * are in progress at a time.
 */
export function coalesce<Item, Result>(
  run: (items: readonly Item[]) => Promise<Result>,
  { parallel = 1, most = Number.POSITIVE_INFINITY }: { parallel?: number; most?: number } = {},
): (item: Item) => Promise<Result> {
  interface Group {
    readonly items: Item[];
    readonly done: PromiseWithResolvers<Result>;
  }
  const waiting: Group[] = [];
  let running = 0;
  let scheduled = false;

  const start = (): void => {
    scheduled = false;
    while (running < parallel) {
      const group = waiting.shift();
      if (group === undefined) return;
      running += 1;
      (async () => run(group.items))()
        .then(group.done.resolve, group.done.reject)
        .finally(() => {
          running -= 1;
          schedule();
        });
    }
  };
  // Waits one turn of the event loop, so that requests that arrive together share one run.
  const schedule = (): void => {
    if (scheduled || waiting.length === 0 || running >= parallel) return;
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

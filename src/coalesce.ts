/**
 * Callers that wait at the same moment share one run, and a run that began before a caller arrived never
 * serves that caller. That is group commit for a write and single flight without staleness for a read.
 * `parallel` runs may be under way at once.
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
  // One turn of the event loop, so that requests read from their sockets together end up in one group.
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

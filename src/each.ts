/**
 * Works on each of them, so many at once. Where one fails, what is under way goes on, nothing else begins, and the
 * failure is thrown.
 */
export async function each<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  let hasFailed = false;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = left.next(); !next.done && !hasFailed; next = left.next())
        try {
          await work(next.value);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
    }),
  );
}

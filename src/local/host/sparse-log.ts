/** For lines that anybody can cause: one a second at most, which says how many more there were. */
export function sparseLog(
  log: (line: string) => void,
  nowMs: () => number = () => performance.now(),
): (line: string) => void {
  let nextAtMs = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return (line) => {
    const now = nowMs();
    if (now < nextAtMs) {
      leftOut += 1;
      return;
    }
    log(leftOut === 0 ? line : `${line} (${leftOut} more before it)`);
    nextAtMs = now + EVERY_MS;
    leftOut = 0;
  };
}

const EVERY_MS = 1_000;

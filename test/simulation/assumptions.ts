/** How far Azure and the instances may go. README, "Limits, said plainly", says what breaks beyond. */
export interface Assumptions {
  /** A process may sleep so long between its last look at its lease and the change outside that follows. */
  readonly maxLeasedPauseMs: number;
  /** Each clock is off by so much at most, so any two differ by at most twice as much. */
  readonly maxClockOffMs: number;
}

export const ASSUMED: Assumptions = { maxLeasedPauseMs: 45_000, maxClockOffMs: 30_000 };

/** What the product does not promise to stand, by the names of `--beyond`. */
export const BEYOND: Readonly<Record<string, Assumptions>> = {
  pause: { ...ASSUMED, maxLeasedPauseMs: 600_000 },
  clock: { ...ASSUMED, maxClockOffMs: 600_000 },
};

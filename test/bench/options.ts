/** How thorough a run of the bench is. */
export interface BenchOptions {
  /** How often each thing is measured, in turn with what it is compared with. */
  readonly rounds: number;
  /** How long each measurement of a rate takes. */
  readonly seconds: number;
  /** Everything is smaller: to see that the bench works, and not for its figures. */
  readonly quick: boolean;
}

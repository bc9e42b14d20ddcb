/**
 * A process of a model: the product's own code, whose ports hold back every answer. What it does next follows
 * from the answers that it had and from nothing else, so these are its state, and it is run once for each.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { UpstreamFailure } from '../../src/upstream.ts';

/** A call of a port that has no answer yet. */
export interface Call {
  readonly index: number;
  readonly name: string;
  readonly args: readonly unknown[];
}
export interface Answer {
  readonly index: number;
  readonly value: unknown;
  /** What the clock shows from then on. */
  readonly nowMs: number;
}
/** What crosses `ask` is plain data. */
export type Ask = <Value>(name: string, ...args: unknown[]) => Promise<Value>;
export type Script = (ask: Ask, clock: () => number) => Promise<void>;

/** The calls that wait after these answers; none: it has ended. Rejects where the product throws what is a bug. */
export async function callsAfter(
  script: Script,
  answers: readonly Answer[],
  startMs: number,
): Promise<readonly Call[]> {
  const calls: Call[] = [];
  const resolvers: ((value: unknown) => void)[] = [];
  let nowMs = startMs;
  let bug: unknown;
  const ask: Ask = (name, ...args) => {
    calls.push({ index: calls.length, name, args });
    return new Promise<never>((resolve) => resolvers.push(resolve as (value: unknown) => void));
  };
  script(ask, () => nowMs).catch((error: unknown) => {
    // An outage that the product says so of ends the process's work, as it does in Azure.
    if (!(error instanceof UpstreamFailure)) bug = error;
  });
  await settle();
  for (const answer of answers) {
    nowMs = answer.nowMs;
    resolvers[answer.index]?.(answer.value);
    await settle();
  }
  if (bug !== undefined) throw bug;
  return calls.filter(({ index }) => !answers.some((answer) => answer.index === index));
}

/** Until the process waits for an answer: what coalesces its calls lets a turn of the event loop pass first. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await turn();
}

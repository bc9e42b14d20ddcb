/** Runs the properties of all parsers and of all routes, so many times each. */
import fc from 'fast-check';
import { startBroker } from './broker.ts';
import { parsers } from './parsers.ts';
import { routesProperty, tokensOf } from './routes.ts';

export interface Fuzzed {
  readonly what: string;
  readonly runs: number;
  readonly seconds: number;
  /** The smallest input that does not hold, with the seed and the path that bring it back; undefined: all held. */
  readonly finding: string | undefined;
}

/** No answer may take longer while nothing is out of reach; a test on a busy machine passes more. */
const MAX_ANSWER_MS = 1_000;

export async function fuzzAll(
  runs: number,
  seed: number,
  each: (part: Fuzzed) => void,
  maxMs: number = MAX_ANSWER_MS,
): Promise<Fuzzed[]> {
  const results: Fuzzed[] = [];
  async function add(what: string, property: fc.IRawProperty<unknown, boolean>): Promise<void> {
    const part = await check(what, property, runs, seed);
    results.push(part);
    each(part);
  }
  for (const { what, property } of parsers) await add(what, property);
  await using broker = await startBroker();
  const property = routesProperty(broker, await tokensOf(broker), maxMs);
  await add('every route of the OpenAPI document, and the webhook', property);
  return results;
}

async function check(
  what: string,
  property: fc.IRawProperty<unknown, boolean>,
  numRuns: number,
  seed: number,
): Promise<Fuzzed> {
  const startedMs = performance.now();
  const details = await fc.check(property, { numRuns, seed });
  return {
    what,
    runs: details.numRuns,
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
    finding: details.failed ? `${details.errorInstance}\n${fc.defaultReportMessage(details)}` : undefined,
  };
}

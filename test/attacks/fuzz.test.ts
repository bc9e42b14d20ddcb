/** Each parser and every route, a few hundred times with a seed of the day; `npm run attack -- --fuzz 50000` goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzAll } from './fuzz.ts';

const RUNS = 150;
/** Says that it hangs, not that the machine is busy. */
const MAX_ANSWER_MS = 20_000;

test('no parser and no route falls over what it is given', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const parts = await fuzzAll(RUNS, seed, () => undefined, MAX_ANSWER_MS);
  for (const { what, finding } of parts) assert.equal(finding, undefined, `${what}\n${finding}`);
});

/** `node test/policy/difference-trials.ts --pairs 100000 --seed 1`: the property of the suite, with more pairs. */
import { parseArgs } from 'node:util';
import { callersAreInTheDifference } from './differing.ts';

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const differed = callersAreInTheDifference(Number(values.pairs), Number(values.seed));
process.stdout.write(`${values.pairs} pairs: ${differed} accesses differed, each as the difference says\n`);

/**
 * `node test/policy/difference-trials.ts --pairs 100000 --seed 1`: the property of the suite, with more pairs; then how
 * long the comparison of two policies of 1,000 grants takes, of which each gives to other callers than before.
 */
import { parseArgs } from 'node:util';
import { changesInWords } from '../../src/policy/changes.ts';
import { accessDifference } from '../../src/policy/difference.ts';
import type { Policy } from '../../src/policy/schema.ts';
import { BASE, callersAreInTheDifference } from './differing.ts';

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const differed = callersAreInTheDifference(Number(values.pairs), Number(values.seed));
process.stdout.write(`${values.pairs} pairs: ${differed} accesses differed, each as the difference says\n`);

for (const resources of [1_000, 10_000]) {
  const [before, after] = [large(resources, 1_000, 'a'), large(resources, 1_000, 'b')];
  const startedAt = performance.now();
  const { length } = accessDifference(before, after);
  const comparedAt = performance.now();
  changesInWords(before, after);
  const [comparing, telling] = [comparedAt - startedAt, performance.now() - comparedAt];
  process.stdout.write(
    `1,000 grants, ${resources} resources: ${length} changes in ${Math.round(comparing)} ms, in words ${Math.round(telling)} ms\n`,
  );
}

/** Each grant names a resource and a prefix, and has rules for two sorts of callers. */
function large(resources: number, grants: number, client: string): Policy {
  const [resource] = BASE.resources;
  const [grant] = BASE.grants;
  if (resource === undefined || grant === undefined) throw new Error('the sample policy is empty');
  return {
    ...BASE,
    resources: Array.from({ length: resources }, (_, index) => ({ ...resource, name: `r-${index}` })),
    grants: Array.from({ length: grants }, (_, index) => ({
      ...grant,
      name: `g-${index}`,
      callers: [
        { tenant: 'home', appRole: 'Token.Exchange', clientId: `${client}-${index}` },
        { tenant: 'home', scope: 'Token.Exchange', group: `group-${index}` },
      ],
      resources: [`r-${index % resources}`, `r-${(index * 7) % resources}*`],
      tokenKinds: ['sts', 'entra'],
      maxLifetime: index % 2 === 0 ? 7_200_000 : 5_400_000,
    })),
  };
}

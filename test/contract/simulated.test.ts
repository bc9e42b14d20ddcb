/** Each claim of the contract suite, put to the simulated Azure; and to ten that differ from it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CLAIMS, checkAll } from './claims.ts';
import { MUTATIONS } from './mutations.ts';
import { simulatedTarget } from './simulated-target.ts';

let target: Awaited<ReturnType<typeof simulatedTarget>>;
before(async () => {
  target = await simulatedTarget();
});
after(() => target[Symbol.asyncDispose]());

for (const [name, { breaks, make }] of Object.entries(MUTATIONS))
  test(`an Azure that differs is named: ${name}`, async () => {
    const { mutation } = target;
    target.mutation = make();
    try {
      for (const id of breaks) {
        const [result] = await checkAll(target, id);
        assert.equal(result?.verdict, 'broken', `${id}: ${JSON.stringify(result)}`);
      }
    } finally {
      target.mutation = mutation;
    }
  });

test('the simulated Azure holds every claim that the fact sheets make and it can be asked about', async (t) => {
  const results = await checkAll(target);
  assert.deepEqual(
    results.filter(({ verdict }) => verdict === 'broken'),
    [],
  );
  // None of the identities there may read an account.
  const left = results.filter(({ verdict }) => verdict === 'not testable').map(({ id }) => id);
  assert.deepEqual(left, ['arm-not-found', 'arm-account']);
  assert.equal(results.length, CLAIMS.length);
  t.diagnostic(
    `${results.length - left.length} of ${results.length} claims held, ${left.length} not testable`,
  );
});

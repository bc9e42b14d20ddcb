import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { MAX_SCHEDULES, MUTATIONS } from './mutations.ts';
import { simulate } from './simulate.ts';

/**
 * All of them take a minute of processor time and more, so that a run of the whole suite tries some, other ones each
 * day. `MUTATIONS=all node --test test/simulation/mutations.test.ts` tries all.
 */
const EVERY = 5;
const today = Math.floor(Date.now() / 86_400_000);
const isTried = (_: unknown, index: number): boolean =>
  process.env['MUTATIONS'] === 'all' || index % EVERY === today % EVERY;

for (const [name, { caughtBy }] of Object.entries(MUTATIONS).filter(isTried)) {
  test(`the mutation ${name} is caught by ${caughtBy ?? 'the simulation'}`, async (context) => {
    if (caughtBy === undefined) {
      const options = ['--mutate', name, '--runs', String(MAX_SCHEDULES), '--violations', '1'];
      const { code, last } = await simulate(...options);
      const [violation] = last.violations;
      assert.ok(violation !== undefined, `not caught in ${last.runs} schedules`);
      assert.equal(code, 1);
      context.diagnostic(`seed ${violation.seed}: ${violation.invariant}`);
      return;
    }
    const hook = ['--import', './test/simulation/mutated.ts', caughtBy];
    // Without the variable of the test runner that runs this file, its own test reports as usual.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, hook, { env: { ...env, MUTATION: name }, encoding: 'utf8' });
    const [failed] = /^(?:\s*✖|not ok).*$/m.exec(run.stdout) ?? [];
    assert.equal(run.status, 1, `${caughtBy} passes`);
    assert.ok(failed !== undefined, run.stdout + run.stderr);
    context.diagnostic(failed.trim());
  });
}
